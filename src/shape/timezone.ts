/** Times without a zone: the same microseconds in UTC, under a type that no reader converts to its own zone. */

import { type Data, TimestampMicrosecond } from 'apache-arrow'

export const NAIVE_TIMESTAMP = new TimestampMicrosecond()

export function withoutZone(data: Data): Data {
  return data.clone(NAIVE_TIMESTAMP as never)
}
