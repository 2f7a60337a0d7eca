import { isIP } from 'node:net';

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
/** Wildcards for every address of the machine. */
const EVERY_ADDRESS = ['0.0.0.0', '::'];
/** A name or an IPv4 address, or an IPv6 address in brackets; optionally followed by a port. */
const HOST = /^(?:\[(?<address>[0-9a-f:.]+)\]|(?<name>[^:[\]]+))(?::\d{1,5})?$/i;

/**
 * Whether a request's Host header names this server. A web page can point its own name at 127.0.0.1 and read what
 * answers there (DNS rebinding), but the Host header then still carries that name. A literal address cannot be
 * rebound, so a server that listens on all addresses answers to any of them.
 *
 * @param listensOn the address that the server listens on.
 * @param names further names by which scrapers address it.
 */
export function allowedHosts(listensOn: string, names: readonly string[]): (host: string | undefined) => boolean {
  const allowed = new Set([...LOOPBACK, listensOn, ...names].map((name) => name.toLowerCase()));
  const isEverywhere = EVERY_ADDRESS.includes(listensOn);
  return (host) => {
    // Only clients older than HTTP/1.1 omit it; browsers never do.
    if (host === undefined) return true;
    const { address, name } = HOST.exec(host)?.groups ?? {};
    const asked = (address ?? name)?.toLowerCase();
    if (asked === undefined) return false;
    return allowed.has(asked) || (isEverywhere && isIP(asked) !== 0);
  };
}
