"""`potok deliverability`: how mail travels, and what stands in its way."""

from console.cli.frame import group

deliverability = group("deliverability", help="How mail travels, and what stands in its way.")
