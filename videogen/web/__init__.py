"""What all HTTP edges share."""
