package coop.sahkar.coordinator.accounts;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.random.RandomGenerator;

/** API keys as characters: {@code sk-sahkar-} and 192 random bits in hex. */
public final class KeyText {
    /** What every key begins with. */
    public static final String PREFIX = "sk-sahkar-";

    private static final int RANDOM_BYTES = 24;

    private KeyText() {}

    /** A new key. */
    public static String draw(RandomGenerator random) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return PREFIX + HexFormat.of().formatHex(bytes);
    }

    /** Whether somebody meant this as one of our keys: only such a one can be wrong. */
    public static boolean meantAsOurs(String text) {
        return text.length() >= PREFIX.length()
                && text.substring(0, PREFIX.length()).toLowerCase(Locale.ROOT).equals(PREFIX);
    }

    /** What is kept of a key: its SHA-256 in hex. */
    public static String hash(String key) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(sha.digest(key.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Whether two hashes are the same; takes as long wherever they differ. */
    public static boolean same(String hash, String other) {
        return MessageDigest.isEqual(
                hash.getBytes(StandardCharsets.US_ASCII),
                other.getBytes(StandardCharsets.US_ASCII));
    }
}
