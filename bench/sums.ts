/** `node sums.js FILE.parquet|FILE.arrow`: prints the checksums of its columns. A process of its own, for its memory. */
import { ipcSums, parquetSums } from './table-sums.ts'

const file = process.argv[2] ?? ''
console.log(JSON.stringify(await (file.endsWith('.parquet') ? parquetSums(file) : ipcSums(file))))
