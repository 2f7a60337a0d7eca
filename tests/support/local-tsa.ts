import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { MessageImprint, TimeStampReq, TSTInfo, TSTInfoVersion } from '@peculiar/asn1-tsp';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';

/** A time-stamping authority made with openssl in a temporary folder, and what somebody else would make in its place. */

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const CONFIGURATION = `
[req]
distinguished_name = name
prompt = no
[name]
CN = unnamed
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
# The same for every root: whoever imitates one names its key, too.
subjectKeyIdentifier = 0102030405
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[last-authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
[web-authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
extendedKeyUsage = serverAuth
[signer]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[signer-not-critical]
keyUsage = critical,digitalSignature
extendedKeyUsage = timeStamping
[signer-of-both]
extendedKeyUsage = critical,timeStamping,codeSigning
[signer-without]
keyUsage = critical,digitalSignature
[web]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,serverAuth
[key-only]
keyUsage = critical,keyAgreement
extendedKeyUsage = critical,timeStamping
[strange]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
1.2.3.4.5 = critical,ASN1:NULL
[ca]
default_ca = issuing
[issuing]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
default_days = 30
unique_subject = no
policy = any
[any]
commonName = supplied
[tsa]
default_tsa = stamping
[stamping]
serial = $ENV::REQUEST/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[refusing]
serial = $ENV::REQUEST/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha512
`;

export interface SignerRequest {
  /** Section of the configuration with the certificate's extensions. */
  readonly extensions?: string;
  /** Name of the issuer's files. */
  readonly issuer?: string;
  readonly key?: 'ec' | 'rsa';
  /** For example 20200101000000Z. */
  readonly from?: string;
  readonly to?: string;
}

export class LocalTsa {
  readonly folder = mkdtempSync(join(tmpdir(), 'tapeproof-tsa-'));
  #files = 0;

  constructor() {
    writeFileSync(this.path('cnf'), CONFIGURATION);
    writeFileSync(this.path('index'), '');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  pem(name: string): string {
    return readFileSync(this.path(`${name}.pem`), 'utf8');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  root(name: string): void {
    this.#openssl(
      ...['req', '-x509', '-config', 'cnf', '-extensions', 'root', '-subj', `/CN=${name}`, '-days', '3650'],
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`],
      ...['-out', `${name}.pem`],
    );
  }

  /** A certificate with a new key; its files have its name. */
  issue(name: string, request: SignerRequest = {}): void {
    const { key = 'ec' } = request;
    const options = key === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    this.#openssl(
      ...['req', '-new', '-config', 'cnf', '-subj', `/CN=${name}`, '-nodes', '-newkey', ...options],
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
    );
    this.certify(name, name, request);
  }

  /** A certificate for a key that there is. */
  certify(name: string, keyOf: string, { extensions = 'signer', issuer = 'root', from, to }: SignerRequest = {}): void {
    this.#openssl(
      ...['ca', '-batch', '-notext', '-config', 'cnf', '-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`],
      ...['-in', `${keyOf}.csr`, '-out', `${name}.pem`, '-extensions', extensions],
      ...(from === undefined ? [] : ['-startdate', from]),
      ...(to === undefined ? [] : ['-enddate', to]),
    );
  }

  /** The answer of `openssl ts -reply`. @param chain - name of a certificate to send along. */
  async reply(query: Buffer, signer: string, chain?: string, section = 'stamping'): Promise<Buffer> {
    const own = `request-${(this.#files += 1)}`;
    mkdirSync(this.path(own));
    writeFileSync(this.path(`${own}/query`), query);
    // Its own: openssl replaces the file, and several requests come at once.
    writeFileSync(this.path(`${own}/serial`), '01\n');
    await promisify(execFile)(
      'openssl',
      [
        ...['ts', '-reply', '-config', 'cnf', '-section', section, '-queryfile', `${own}/query`],
        ...['-signer', `${signer}.pem`, '-inkey', `${signer}.key`, '-out', `${own}/answer`],
        ...(chain === undefined ? [] : ['-chain', `${chain}.pem`]),
      ],
      { cwd: this.folder, env: { ...process.env, REQUEST: own } },
    );
    return readFileSync(this.path(`${own}/answer`));
  }

  /** A token over any statement by any certificate: `openssl ts -reply` makes only what is right. */
  forge(statement: Buffer, signer: string, { ess = true, chain }: { ess?: boolean; chain?: string } = {}): Buffer {
    writeFileSync(this.path('statement'), statement);
    this.#openssl(
      ...['cms', '-sign', '-binary', '-nodetach', '-outform', 'DER', '-econtent_type', '1.2.840.113549.1.9.16.1.4'],
      ...['-signer', `${signer}.pem`, '-inkey', `${signer}.key`, '-md', 'sha256', '-in', 'statement', '-out', 'token'],
      ...(ess ? ['-cades'] : []),
      ...(chain === undefined ? [] : ['-certfile', `${chain}.pem`]),
    );
    return readFileSync(this.path('token'));
  }

  /** What `openssl ts -verify` says of an answer. */
  verify(answer: Buffer, digest: string, root = 'root'): string {
    writeFileSync(this.path('verified.tsr'), answer);
    const { stdout, stderr } = spawnSync(
      'openssl',
      ['ts', '-verify', '-digest', digest, '-in', 'verified.tsr', '-CAfile', `${root}.pem`],
      { cwd: this.folder, encoding: 'utf8' },
    );
    return stdout + stderr;
  }

  #openssl(...words: string[]): void {
    execFileSync('openssl', words, { cwd: this.folder, stdio: 'pipe', env: { ...process.env, REQUEST: '.' } });
  }
}

/** What a request asks for. */
export function asked(query: Buffer): { readonly digest: Buffer; readonly nonce: Buffer; readonly certReq: boolean } {
  const { messageImprint, nonce, certReq } = AsnConvert.parse(query, TimeStampReq);
  return {
    digest: Buffer.from(messageImprint.hashedMessage.buffer),
    nonce: Buffer.from(nonce ?? new ArrayBuffer()),
    certReq,
  };
}

/** A statement of a time, as an authority signs it. */
export function statementOf(digest: Buffer, genTime: Date, nonce?: Buffer): Buffer {
  const hashAlgorithm = new AlgorithmIdentifier({ algorithm: '2.16.840.1.101.3.4.2.1', parameters: null });
  const info = new TSTInfo({
    ...{ version: TSTInfoVersion.v1, policy: '1.2.3.4.1', serialNumber: new Uint8Array([7]).buffer, genTime },
    messageImprint: new MessageImprint({ hashAlgorithm, hashedMessage: new OctetString(digest) }),
    ...(nonce === undefined ? {} : { nonce: new Uint8Array(nonce).buffer }),
  });
  return Buffer.from(AsnConvert.serialize(info));
}

export type Answer = (query: Buffer, response: ServerResponse) => Buffer | undefined | Promise<Buffer | undefined>;

export interface TsaServer {
  readonly url: string;
  /** Requests so far. */
  readonly requests: readonly { readonly contentType: string | undefined; readonly query: Buffer }[];
  answer: Answer;
  close(): Promise<void>;
}

/** The authority behind HTTP on the loopback. An answer of undefined leaves the response to whoever made it. */
export async function serveTsa(answer: Answer): Promise<TsaServer> {
  const requests: { contentType: string | undefined; query: Buffer }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const query = Buffer.concat(chunks);
      requests.push({ contentType: request.headers['content-type'], query });
      const body = await served.answer(query, response);
      if (body !== undefined) response.setHeader('content-type', 'application/timestamp-reply').end(body);
    })().catch((error: unknown) => {
      response.destroy(error as Error);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const served: TsaServer = {
    ...{ url: `http://127.0.0.1:${port}/tsr`, requests, answer },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return served;
}
