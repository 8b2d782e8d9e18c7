package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.usage.UsageDesk;
import coop.sahkar.coordinator.usage.Use;
import java.security.PublicKey;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Keeps what it is told of, and knows the keys and weights it is given. */
final class CountingDesk implements UsageDesk {
    final List<Use> uses = new CopyOnWriteArrayList<>();
    final Map<String, PublicKey> keys = new ConcurrentHashMap<>();
    final Map<String, Integer> weights = new ConcurrentHashMap<>();

    @Override
    public void record(Use use) {
        uses.add(use);
    }

    @Override
    public String payer(String account) {
        return "payer-of-" + account;
    }

    @Override
    public int turnWeight(String account) {
        return weights.getOrDefault(account, 1);
    }

    @Override
    public @Nullable PublicKey ticketKey(String keyId) {
        return keys.get(keyId);
    }

    long answerTokens() {
        return uses.stream().mapToLong(Use::answerTokens).sum();
    }

    long promptTokens() {
        return uses.stream().mapToLong(Use::promptTokens).sum();
    }
}
