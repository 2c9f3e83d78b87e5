/** The tenants, applications and people of the sandbox. Identifiers only: every secret is made anew at each start. */
export type User = Readonly<{ objectId: string; userPrincipalName: string; name: string }>;

export const TENANT_ID = '5a17d0c5-0000-4000-8000-000000000001';
export const OTHER_TENANT_ID = '5a17d0c5-0000-4000-8000-000000000002';
/** The app registration of the service. */
export const CLIENT_ID = '5a17d0c5-0000-4000-8000-00000000c11e';
/** The application that calls the service. */
export const CALLING_CLIENT_ID = '5a17d0c5-0000-4000-8000-0000000ca11e';

export const OPERATOR: User = {
  objectId: '5a17d0c5-0000-4000-8000-0000000000a1',
  userPrincipalName: 'olga.operator@sandbox.example',
  name: 'Olga Operator',
};
export const READER: User = {
  objectId: '5a17d0c5-0000-4000-8000-0000000000a2',
  userPrincipalName: 'rene.reader@sandbox.example',
  name: 'René Reader',
};
/** The service principal of an application that comes without a user. */
export const DAEMON: User = {
  objectId: '5a17d0c5-0000-4000-8000-0000000000ad',
  userPrincipalName: '',
  name: 'A daemon',
};
