"""Classifiers that say of a whole picture how likely it is unwanted: plug-ins, one file each."""
