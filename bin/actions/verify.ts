import { TapeproofError } from '../../platform/errors.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { logFaults } from '../../proofs/certify/against-log.ts';
import { chainFaults, notDerivedByAny } from '../../proofs/certify/chain.ts';
import { statementText } from '../../proofs/certify/certify-text.ts';
import { readCertificate, readPublicKey, type CertificateFile } from '../certify/certificate-files.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';

export interface VerifyOptions {
  readonly key?: string;
  readonly againstLog?: true;
  readonly allowNotDerived?: true;
  readonly json?: true;
}

export async function runVerify(paths: readonly string[], options: VerifyOptions): Promise<void> {
  const { key: keyPath, againstLog, allowNotDerived, json } = options;
  const key = keyPath === undefined ? undefined : await readPublicKey(keyPath);
  const certificates: CertificateFile[] = [];
  for (const path of paths) certificates.push(await readCertificate(path, key));
  const faults = chainFaults(certificates);
  if (againstLog === true) faults.push(...(await faultsInLog(certificates)));
  const notDerived = notDerivedByAny(certificates.map(({ statement }) => statement));
  const isPartial = notDerived.length > 0;
  const signature = key === undefined ? 'NOT CHECKED' : 'VALID';
  const verdict = faults.length > 0 ? 'FAILED' : isPartial ? 'PARTLY DERIVED' : 'VALID';
  print(json, { verdict, signature, faults, notDerived, certificates }, () =>
    [
      ...certificates.flatMap((certificate) => certificateLines(certificate)),
      ...faults.map((fault) => `✗ ${fault}`),
      ...notDerived.map(
        ({ partition, from, to }) =>
          `NOT DERIVED by any of them: partition ${partition}, tape offsets ${from} to ${to}`,
      ),
      `${verdict}: ${checkedText(certificates.length, signature, againstLog === true)}`,
    ].join('\n'),
  );
  if (faults.length > 0 || (isPartial && allowNotDerived !== true)) process.exitCode = 1;
}

async function faultsInLog(certificates: readonly CertificateFile[]): Promise<string[]> {
  const faults: string[] = [];
  await withEvents('verify', async ({ reader, registry, partitions }) => {
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    for (const { name, statement } of certificates) {
      for (const range of statement.predicate.ranges) {
        if (range.partition >= partitions) {
          throw new TapeproofError(
            'CHECK_FAILED',
            `${name} is of another tape: it has a partition ${range.partition}, and this one has ${partitions}.`,
          );
        }
        faults.push(...(await logFaults(access, range)));
      }
    }
  });
  return faults;
}

function certificateLines({ name, statement, digest, isSigned }: CertificateFile): string[] {
  const { tapeId, build } = statement.predicate;
  return [
    `${name}: certificate ${digest.slice(0, 12)}${isSigned ? '' : ', NOT signed'}, of the tape ${tapeId}`,
    `  made by engine ${build.engineVersion}, commit ${build.gitCommit}, Node ${build.node}`,
    ...statementText(statement),
  ];
}

function checkedText(count: number, signature: 'VALID' | 'NOT CHECKED', isAgainstLog: boolean): string {
  const parts = [
    `form checked`,
    signature === 'VALID' ? 'signed by this key' : 'signature NOT checked (name the public key with --key)',
    ...(count > 1 ? ['each continues the one before'] : []),
    isAgainstLog ? 'compared with the log, nothing was derived' : 'not compared with the log (--against-log)',
  ];
  return `${parts.join('; ')}.`;
}
