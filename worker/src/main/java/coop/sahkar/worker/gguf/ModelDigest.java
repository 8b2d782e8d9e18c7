package coop.sahkar.worker.gguf;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 of tensors and of a whole model. */
final class ModelDigest {
    static final int HEX_DIGITS = 64;

    private static final byte[] DOMAIN = "sahkar model 1\n".getBytes(StandardCharsets.US_ASCII);

    private ModelDigest() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    static boolean isHex(String digest) {
        return digest.length() == HEX_DIGITS
                && digest.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }

    /**
     * The digest that names a model: over the metadata of its manifest, the digest of the whole
     * key-value section and, of each tensor in order, name, type, shape and digest. Every part
     * stands behind its length, so no two models share one input.
     */
    static String of(Metadata metadata, KeyValueSection keyValues, List<TensorEntry> tensors) {
        MessageDigest digest = sha256();
        digest.update(DOMAIN);
        update(digest, metadata.encodedBytes());
        digest.update(metadata.encodedShared());
        digest.update(HexFormat.of().parseHex(keyValues.sha256()));
        update(digest, tensors.size());
        for (TensorEntry tensor : tensors) {
            byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
            update(digest, name.length);
            digest.update(name);
            update(digest, tensor.type().id());
            update(digest, tensor.shape().size());
            tensor.shape().forEach(length -> update(digest, length));
            digest.update(HexFormat.of().parseHex(tensor.sha256()));
        }
        return hex(digest);
    }

    private static void update(MessageDigest digest, long number) {
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(number).flip());
    }
}
