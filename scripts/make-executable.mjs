// tsc drops the executable bit that `bin` needs when it is run straight from a checkout.
import { chmodSync } from 'node:fs'

chmodSync(new URL('../dist/bin.js', import.meta.url), 0o755)
