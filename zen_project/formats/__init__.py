"""Django's format modules of this site."""
