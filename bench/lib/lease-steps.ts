/** What is done with a lease. */
export const leaseSteps = ['create', 'lookup', 'renew', 'revoke', 'expire'] as const;
export type LeaseStep = (typeof leaseSteps)[number];
