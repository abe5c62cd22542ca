/** Why a check could not look where it wanted to: no failure, and told in its words. */
export class CannotLook extends Error {}
