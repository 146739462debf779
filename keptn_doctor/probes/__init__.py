"""All I/O of the doctor, one file per kind of fact; nothing else opens a socket."""
