import { join } from 'node:path';
import { xmlText } from './escape.ts';
import { PLACEHOLDER, seal } from './marker.ts';
import type { Plan } from './plan.ts';

export const LAUNCHD = 'launchd agent';

/** The whole property list. */
export function launchdPlist({ name, owner, root, home, host, environment }: Plan): string {
  const command = ['/bin/sh', join(root, 'setup', 'service', 'launch.sh'), home, ...host];
  const variables = Object.entries({ ...environment, NANOCLAW_SERVICE: LAUNCHD });
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${PLACEHOLDER} -->
<!-- Made by "ncl service install". A host that was told to stop ends with 0, and stays stopped. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xmlText(name)}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    <string>${xmlText(word)}</string>`).join('\n')}
  </array>
  <key>WorkingDirectory</key>
  <string>${xmlText(home)}</string>
  <key>EnvironmentVariables</key>
  <dict>
${variables.map(([key, value]) => `    <key>${xmlText(key)}</key>\n    <string>${xmlText(value)}</string>`).join('\n')}
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>1</integer>
  <key>ExitTimeOut</key>
  <integer>45</integer>
</dict>
</plist>
`;
  return seal(text, owner);
}
