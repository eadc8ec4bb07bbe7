/** What people choose first when they are asked for twelve characters or more; part of every guessing list. */
const COMMON: ReadonlySet<string> = new Set([
  'password1234', 'password12345', 'password123456', 'password123!', 'password2025', 'password2026',
  'passwordpassword', 'mypassword123', 'adminadmin123', 'administrator', 'administrator1', 'admin1234567',
  'changeme1234', 'changemeplease', 'letmein12345', 'letmeinletmein', 'welcome12345', 'welcome123456',
  'iloveyou1234', 'iloveyouiloveyou', 'qwerty123456', 'qwertyqwerty', 'qwertyuiop12', 'qwertyuiop123',
  'qwertyuiopasdf', 'qwertyuiopasdfghjkl', '1q2w3e4r5t6y', '1qaz2wsx3edc', 'zaq12wsxcde3', 'asdfghjkl123',
  'abcdefghijkl', 'abcdefghijklm', 'abcdefghijklmnopqrstuvwxyz', 'abc123abc123', 'abcd1234abcd', 'abcd12345678',
  '123456789012', '1234567890123', '12345678901234', '1234567890abc', '1234567891011', '123456123456',
  '123123123123', '012345678901', '098765432109', '987654321098', 'monkey123456', 'dragon123456',
  'football1234', 'baseball1234', 'sunshine1234', 'princess1234', 'superman1234', 'trustno1trustno1',
  'secret123456', 'secretsecret'
])

/** One character, or a few, said again and again. */
const REPEATED = /^(.{1,3})\1+$/su

/** NIST SP 800-63B §5.1.1.2: passwords that are commonly used, and those that only repeat. */
export function isCommonPassword (password: string): boolean {
  const text = password.toLowerCase()
  return COMMON.has(text) || REPEATED.test(text)
}
