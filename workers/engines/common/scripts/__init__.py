"""Another script for what is said: `hi-Latn`, `ur-Deva`, `sr-Latn` (docs/adr/0032-script-by-choice.md)."""
