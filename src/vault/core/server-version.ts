/** As `version` of seal-status and health: strict semver, since Terraform parses it. */
export const serverVersion = '1.15.0+meshroot';
export const buildDate = '2026-01-01T00:00:00Z';
