/**
 * The kernel's functions. Addresses and lengths are in bytes; every region has slack after it for whole-word stores.
 */

export { appendBits, appendOnes } from './bits'
export { encodeDeltas } from './delta'
export { beginDictionary, dictionaryBytes, dictionaryEntries, indexNumbers, indexTexts } from './dictionary'
export { extremeDoubles, extremeIntegers, extremeTexts } from './extremes'
export { encodeBits, encodeIndices, encodeLevels, largestWidth, writeRun } from './hybrid'
export { appendLists } from './lists'
export { compressSnappy } from './snappy'
export { keepInt8, keepInt16, keepInt32, keepInt64, keepLengths, keepTexts, markInUse, prefixLengths } from './values'
