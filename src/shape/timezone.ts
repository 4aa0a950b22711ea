/** Times without a zone: the same microseconds in UTC, with a type that readers do not convert to their own zone. */

import { type Data, TimestampMicrosecond } from 'apache-arrow'

export const NAIVE_TIMESTAMP = new TimestampMicrosecond()

export function withoutZone(data: Data): Data {
  return data.clone(NAIVE_TIMESTAMP as never)
}
