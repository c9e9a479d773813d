# What QEMU 10.2 names otherwise than the development tree.  Patches, and the
# sources in a series for 10.2, are changed so; the sources in its build tree
# find each header under its new name, too.
s,"hw/core/boards.h","hw/boards.h",
s,"hw/core/clock.h","hw/clock.h",
s,"hw/core/irq.h","hw/irq.h",
s,"hw/core/qdev-clock.h","hw/qdev-clock.h",
s,"hw/core/qdev-properties-system.h","hw/qdev-properties-system.h",
s,"hw/core/qdev-properties.h","hw/qdev-properties.h",
s,"hw/core/qdev.h","hw/qdev-core.h",
s,"hw/core/registerfields.h","hw/registerfields.h",
s,"hw/core/sysbus.h","hw/sysbus.h",
s/\<AST2700FC(/AST2700A1FC(/
s/"ast2700-a2"/"ast2700-a1"/
