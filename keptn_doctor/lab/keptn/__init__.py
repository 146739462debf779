"""The lab's Keptn: gateway and components of any version, as they answer."""
