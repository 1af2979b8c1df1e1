import { MeshrootError } from '../../lib/errors.ts';
import { toUtf8 } from './values.ts';

/** A template that cannot be parsed or executed, with the text that Go's text/template (and so Vault Agent) prints. */
export class TemplateError extends MeshrootError {
  constructor(code: 'template-parse' | 'template-execute' | 'template-limit', message: string) {
    super(code, toUtf8(message), { exit: 1 });
  }
}
