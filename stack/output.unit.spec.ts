import { describe, expect, it } from 'vitest';
import { escapeProperty } from './kafka.ts';
import { bytesUnderWay } from './maven.ts';
import { tellingLine } from './run.ts';

describe('tellingLine', () => {
  it('is the last line that mentions a failure, stack frames aside', () => {
    const log = [
      'INFO starting',
      'java.net.BindException: Address already in use',
      '\tat java.base/sun.nio.ch.Net.bind0(Native Method)',
      'INFO shutting down',
      '',
    ].join('\n');
    expect(tellingLine(log)).toBe('java.net.BindException: Address already in use');
  });

  it('is the last line where none mentions a failure, and nothing where there is none', () => {
    expect(tellingLine('one\ntwo\n\n')).toBe('two');
    expect(tellingLine('\n')).toBeUndefined();
  });
});

describe('bytesUnderWay', () => {
  it('adds up the downloads in the last progress line', () => {
    expect(bytesUnderWay('Progress (1): 1.2/6.7 MB\rProgress (2): 1.5/6.7 MB | 512 B\r')).toBe(1_500_512);
    expect(bytesUnderWay('Progress (1): 842/859 kB\r')).toBe(842_000);
  });

  it('is nothing once the download is counted as done', () => {
    expect(bytesUnderWay('Progress (1): 859 kB\r   \rDownloaded from central: x.jar (859 kB at 2.3 MB/s)\n')).toBe(0);
    expect(bytesUnderWay('[INFO] Scanning for projects...\n')).toBe(0);
  });
});

describe('escapeProperty', () => {
  it('writes text that Java reads back unchanged', () => {
    expect(escapeProperty('/srv/my folder')).toBe('/srv/my folder');
    expect(escapeProperty('/srv/ü\\x')).toBe('/srv/\\u00fc\\\\x');
  });
});
