import { DependencyUnavailable, isSystemError } from '../usecases/errors.ts'

/** A disk that is full, broken or away may be mended. */
export async function guarded<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isSystemError(error) ? new DependencyUnavailable('store', error.message, error) : error
  }
}
