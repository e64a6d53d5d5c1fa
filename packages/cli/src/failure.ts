/** Something the user should read, without a stack: what is wrong, and how to mend it if we know. */
export class Failure extends Error {
  override name = 'Failure'
}
