"""Same, uncertain or different: decided apart from the score that ranks.

Where keypoints exist, only geometry says "same": a category look-alike may score high, but no
transform carries its keypoints over. Without keypoints the calibrated score decides.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from objsearch.types import Verdict, Verification


class Verdicts(BaseModel):
    """Where the borders lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_inliers: float = Field(
        12.0, gt=0, description="central inliers that prove the same object where a plane fits"
    )
    same_inliers_depth: float = Field(
        25.0, gt=0, description="the same where only a fundamental matrix fits, which proves less"
    )
    same_score: float = Field(
        0.95, ge=0, le=1, description="calibrated score for 'same' where there are no keypoints"
    )
    uncertain_score: float = Field(
        0.5, ge=0, le=1, description="calibrated score from which 'different' is not said"
    )

    def decide(
        self, score: float, verification: Verification | None, central: float, has_local: bool
    ) -> Verdict:
        """The verdict on one pair.

        `central` is its number of central inliers; `has_local` says whether keypoints were compared
        at all.
        """
        if verification is not None:
            depth = verification.model == "fundamental"
            if central >= (self.same_inliers_depth if depth else self.same_inliers):
                return "same"
        if not has_local and score >= self.same_score:
            return "same"
        return "uncertain" if score >= self.uncertain_score else "different"
