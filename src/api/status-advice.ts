/** Advice on error statuses of the API. */

import { option, type Wording, worded } from '../wording.ts'

/** Returns the advice for a refusal by the API; undefined where the API's own message must do. */
export function adviceFor(statusCode: number): Wording | undefined {
  switch (statusCode) {
    case 401:
      return worded`the token was refused: check ${option('token')}, or ${option('clientId')} and ${option('clientSecret')}`
    case 403:
      return worded`these credentials may not do this: API access needs the account of an administrator of the community`
    case 404:
      return worded`check the id, ${option('community')}, and ${option('region')}`
  }
  return undefined
}

/** Advice for a refused client id or secret. */
export const CLIENT_ADVICE = worded`check ${option('clientId')} and ${option('clientSecret')}, and ${option('region')}`
