package coop.sahkar.coordinator.gateway;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Answers of {@code /v1/responses} that a caller may go on from, in memory only, for {@link
 * GatewayLimits#KEPT_RESPONSE_MILLIS}; the oldest give way. Losing it costs callers to send what
 * was said again. Thread-safe.
 */
final class ResponseStore {
    /**
     * One answer.
     *
     * @param account whose it is; others do not find it
     * @param messages what was said, the answer included; not to be changed
     * @param response as it was told; not to be changed
     */
    record Kept(String account, ArrayNode messages, ObjectNode response) {}

    private record Entry(Kept kept, int bytes, long untilMillis) {}

    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private long bytes;

    /** Keeps an answer, unless it is too large. */
    synchronized void put(String id, Kept kept, long nowMillis) {
        forgetOld(nowMillis);
        int size = size(kept);
        if (size > GatewayLimits.MAX_KEPT_RESPONSE_BYTES) {
            return;
        }
        entries.put(id, new Entry(kept, size, nowMillis + GatewayLimits.KEPT_RESPONSE_MILLIS));
        bytes += size;
        while (entries.size() > GatewayLimits.MAX_KEPT_RESPONSES
                || bytes > GatewayLimits.MAX_KEPT_RESPONSES_BYTES) {
            forget(entries.keySet().iterator().next());
        }
    }

    /** An account's answer, or null. */
    synchronized @Nullable Kept find(String id, String account, long nowMillis) {
        forgetOld(nowMillis);
        Entry entry = entries.get(id);
        return entry == null || !entry.kept().account().equals(account) ? null : entry.kept();
    }

    /** Whether there was such an answer; there is none any more. */
    synchronized boolean remove(String id, String account, long nowMillis) {
        boolean found = find(id, account, nowMillis) != null;
        if (found) {
            forget(id);
        }
        return found;
    }

    private void forget(String id) {
        Entry entry = entries.remove(id);
        bytes -= entry == null ? 0 : entry.bytes();
    }

    /** The longest kept come first. */
    private void forgetOld(long nowMillis) {
        while (!entries.isEmpty()) {
            Map.Entry<String, Entry> oldest = entries.entrySet().iterator().next();
            if (nowMillis - oldest.getValue().untilMillis() < 0) {
                return;
            }
            forget(oldest.getKey());
        }
    }

    private static int size(Kept kept) {
        return Json.written(kept.messages()).getBytes(StandardCharsets.UTF_8).length
                + Json.bytes(kept.response()).length;
    }
}
