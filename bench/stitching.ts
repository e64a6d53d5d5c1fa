import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readWavFile, stitch, type Stitched, type StitchSegment } from '@tacet/audio'

/** Segments into one recording, with fades at the joins and its digest. */
export async function stitchTo (paths: string[], output: string): Promise<Stitched> {
  const segments = await Promise.all(paths.map(async (path): Promise<StitchSegment> => {
    const wav = await readWavFile(path)
    if (!wav.ok) throw new Error(wav.detail)
    return { tracks: [{ path, wav }] }
  }))
  const file = await open(output, 'w')
  return await stitch({ segments, output: file }).finally(() => file.close())
}

/** As a program, of which the peak of memory can be seen: `stitching.ts output segment…` */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [output, ...paths] = process.argv.slice(2)
  await stitchTo(paths, output!)
}
