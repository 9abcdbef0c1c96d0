"""The training loop: gather, loop, watch, ship."""

from lamella.machine import spin_little

spin_little()  # before torch is imported, which reads how threads wait
