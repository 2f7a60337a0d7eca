import { isIP } from 'node:net';

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
/** What stands for every address of the machine. */
const EVERY_ADDRESS = ['0.0.0.0', '::'];
/** A name or an IPv4 address, or an IPv6 address in brackets; then perhaps a port. */
const HOST = /^(?:\[(?<address>[0-9a-f:.]+)\]|(?<name>[^:[\]]+))(?::\d{1,5})?$/i;

/**
 * Whether a request's Host header names this server. A page of the web can have its own name point to 127.0.0.1 and read
 * what answers there (DNS rebinding); the Host header still has its name then. No name points to an address by itself, so
 * a server that listens on all of them answers to any address.
 *
 * @param listensOn the address that the server listens on.
 * @param names further ones, by which a scraper knows it.
 */
export function allowedHosts(listensOn: string, names: readonly string[]): (host: string | undefined) => boolean {
  const allowed = new Set([...LOOPBACK, listensOn, ...names].map((name) => name.toLowerCase()));
  const isEverywhere = EVERY_ADDRESS.includes(listensOn);
  return (host) => {
    // Only clients older than HTTP/1.1 send none, and no browser does.
    if (host === undefined) return true;
    const { address, name } = HOST.exec(host)?.groups ?? {};
    const asked = (address ?? name)?.toLowerCase();
    if (asked === undefined) return false;
    return allowed.has(asked) || (isEverywhere && isIP(asked) !== 0);
  };
}
