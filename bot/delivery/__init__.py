"""Floor 4: what was decided is carried out: claimed in sets, called, recorded, tried again; timers rung."""
