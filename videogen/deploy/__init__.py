"""`videogen deploy`: writes what a host needs to run the app; today a Space of Hugging Face."""
