"""What a Web function runs: scf_bootstrap, and the server that it starts."""
