package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.Secret;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import javax.crypto.Mac;

/** Keyed hashes, each of all that was said before it. Owned by one thread. */
final class HashChain {
    private final Mac mac;

    HashChain(Secret key) {
        this.mac = key.mac();
    }

    void say(byte[] bytes, int from, int count) {
        mac.update(bytes, from, count);
    }

    void say(String text) {
        mac.update(text.getBytes(StandardCharsets.UTF_8));
    }

    /** With its length, so that two texts cannot pass for two others. */
    void sayWhole(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        mac.update(bytes);
    }

    /** The hash of all that was said so far; what is said next is hashed with it. */
    ByteBuffer link() {
        byte[] hash = mac.doFinal();
        mac.update(hash);
        return ByteBuffer.wrap(hash);
    }
}
