"""What is known of Keptn per version, as data and as named behaviours."""
