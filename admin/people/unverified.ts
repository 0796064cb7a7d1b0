/** As a channel names somebody whom its platform did not authenticate: anybody could have written it. */
export function isUnverified(senderId: string): boolean {
  return /^[^:]+-unverified:/.test(senderId);
}
