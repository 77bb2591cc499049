import { describe, expect, it } from 'vitest';
import { cpioArchive } from './cpio.ts';

/** Reads an archive as the kernel does: heads of 110 bytes, names and contents padded to four. */
function unpacked(archive: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; ; ) {
    const field = (index: number): number =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const name = archive.toString('utf8', at + 110, at + 109 + field(11));
    const content = (at + 110 + field(11) + 3) & ~3;
    if (name === 'TRAILER!!!') return found;
    found[name] = `${field(1).toString(8)} ${archive.toString('utf8', content, content + field(6))}`;
    at = (content + field(6) + 3) & ~3;
  }
}

describe('an archive for the first root', () => {
  it('holds folders, files and programs', () => {
    const archive = cpioArchive([
      { name: 'bin' },
      { name: 'bin/run', content: 'abcde', executable: true },
      { name: 'words', content: 'ä' },
      { name: 'nothing', content: '' },
    ]);
    expect(unpacked(archive)).toEqual({
      bin: '40755 ',
      'bin/run': '100755 abcde',
      words: '100644 ä',
      nothing: '100644 ',
    });
    expect(archive.length % 4).toBe(0);
  });
});
