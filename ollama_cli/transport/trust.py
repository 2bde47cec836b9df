"""What certificates are held to."""

from __future__ import annotations

import os
import ssl


def trust_for(url: str) -> ssl.SSLContext:
    """The certificates that the system trusts, or those that SSL_CERT_FILE and SSL_CERT_DIR name besides.

    For plain http it is a context that has loaded none, which saves its cost.

    Raises:
        OSError: A named file or folder cannot be used.
    """
    if not url.startswith("https://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    extra_file, extra_folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if extra_file or extra_folder:
        context.load_verify_locations(extra_file or None, extra_folder or None)
    return context
