"""The lab's network: virtual addresses, name servers, certificates, what stands between."""
