"""How each AWS emulator that Ferrite runs on is started, one package an emulator."""
