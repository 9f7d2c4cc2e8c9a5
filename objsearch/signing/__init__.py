"""Which images carry a digital signature, and signing them with a password.

Four kinds are known. `pixel` and `robust` are made here from a password: the first lies in the
lowest bits and breaks when anything is compressed, the second in low frequencies and survives JPEG
and halving. `c2pa` (Content Credentials) and `pdf` are read, never written.

    sign_image("photo.jpg", "signed.png", Password("correct horse"))
    listing = check_signatures(["photos"], Wanted(password=Password("correct horse")))

The settings' section `signing` says what to look for and where the password lies:

    settings = load_settings("mine.yaml")
    check_signatures(["photos"], Wanted(password_of("password.txt"), kinds=("pixel",)))

A password signature says that whoever made the file knew the password, or copied its pixels from
one who did. It does not say that nothing else was changed: `c2pa` and `pdf` signatures say that.
"""

from objsearch.signing.checking import check_signatures
from objsearch.signing.findings import Finding, Listing, SignatureKind, Wanted
from objsearch.signing.password import Password, password_of
from objsearch.signing.sign import Signed, SignOptions, sign_image

__all__ = [
    "Finding",
    "Listing",
    "Password",
    "SignOptions",
    "SignatureKind",
    "Signed",
    "Wanted",
    "check_signatures",
    "password_of",
    "sign_image",
]
