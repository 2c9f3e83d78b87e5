/** This service as an API that tokens are issued for. */
export type Api = Readonly<{
  clientId: string;
  /** Accepted values of `aud`. */
  audiences: readonly string[];
  /** Origin of the authority, without a trailing slash. */
  authorityHost: string;
}>;

/** The scope as a client asks Entra for it: App ID URI (else client id), slash, name. */
export function toScopeUri(api: Pick<Api, 'clientId' | 'audiences'>, scope: string): string {
  return `${api.audiences.find((audience) => audience.startsWith('api://')) ?? api.clientId}/${scope}`;
}
