package coop.sahkar.coordinator.accounts;

import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.proto.Problem;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Tells from what a request shows whose it is, by what this coordinator knows at the moment: no
 * majority is asked for a request, so a key that was revoked elsewhere is refused when this
 * coordinator has heard of it, or, if it hears nothing, after {@link #MOST_AGE_MILLIS}.
 *
 * <p>SDKs insist on some key, so people who have none send "none" or "sk-no-key-required". What
 * does not begin as our keys do is therefore no key, and the caller anonymous; what does must be
 * one.
 */
public final class Doorkeeper {
    private static final String BEARER = "bearer ";

    /** Bytes of an IPv6 address that say whose network it is: a caller has all of the rest. */
    private static final int IPV6_NETWORK_BYTES = 8;

    /**
     * A coordinator that has reached no majority for so long serves nobody new but who runs it: a
     * key may have been revoked meanwhile, or anonymous callers not wanted any more.
     */
    public static final int MOST_AGE_MILLIS = 60_000;

    private static final int RETRY_MILLIS = 5_000;

    private final ReplicatedLog pool;
    private final String hostKeyHash;

    /** Whose request it is, or why it is refused. */
    public sealed interface Entry {
        /** It is this caller's. */
        record Known(Caller caller) implements Entry {}

        /** It is nobody's who may ask. */
        record Refused(Problem problem) implements Entry {}
    }

    /**
     * @param hostKeyHash hash of the key in this coordinator's data folder, see {@link HostKey};
     *     empty if there is none
     */
    public Doorkeeper(ReplicatedLog pool, String hostKeyHash) {
        this.pool = pool;
        this.hostKeyHash = hostKeyHash;
    }

    /**
     * Whose request it is.
     *
     * @param authorization the header of this name, if there is one
     * @param apiKey the header {@code x-api-key}, if there is one
     * @param address where it comes from
     */
    public Entry identify(
            @Nullable String authorization, @Nullable String apiKey, InetAddress address) {
        String bearer = bearer(authorization);
        String other = apiKey == null ? "" : apiKey.strip();
        if (KeyText.meantAsOurs(bearer)) {
            return byKey(bearer);
        }
        if (KeyText.meantAsOurs(other)) {
            return byKey(other);
        }
        if (pool.ageMillis() > MOST_AGE_MILLIS) {
            return cutOff();
        }
        Access access = pool.state().accounts().access();
        return access.anonymous()
                ? new Entry.Known(Caller.anonymous(network(address), access.tier(Access.ANONYMOUS)))
                : refused(
                        "This pool serves callers with an API key only; send one as"
                                + " 'Authorization: Bearer "
                                + KeyText.PREFIX
                                + "...'.");
    }

    private Entry byKey(String key) {
        String hash = KeyText.hash(key);
        if (KeyText.same(hash, hostKeyHash)) {
            return new Entry.Known(Caller.host());
        }
        if (pool.ageMillis() > MOST_AGE_MILLIS) {
            return cutOff();
        }
        AccountBook book = pool.state().accounts();
        ApiKey known = book.keys().get(hash);
        if (known == null || !KeyText.same(hash, known.hash())) {
            return refused("No such API key is known here; check it, or ask for a new one.");
        }
        Account account = book.accounts().get(known.accountId());
        if (!known.good() || account == null) {
            return refused("This API key was revoked; ask for a new one.");
        }
        return new Entry.Known(Caller.of(account, book.tierOf(account.id())));
    }

    private static Entry cutOff() {
        return new Entry.Refused(
                new Problem(
                        Problem.Kind.NOT_LEADER,
                        "This coordinator has not reached a majority of the others for %d s and cannot know who may ask; ask another one."
                                .formatted(MOST_AGE_MILLIS / 1_000),
                        "",
                        RETRY_MILLIS));
    }

    private static Entry refused(String sentence) {
        return new Entry.Refused(Problem.of(Problem.Kind.UNAUTHORIZED, sentence));
    }

    private static String bearer(@Nullable String authorization) {
        if (authorization == null
                || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return "";
        }
        return authorization.substring(BEARER.length()).strip();
    }

    /** The address; of an IPv6 address the network. */
    static String network(InetAddress address) {
        if (!(address instanceof Inet6Address) || address.isLoopbackAddress()) {
            return address.getHostAddress();
        }
        byte[] bytes = address.getAddress();
        Arrays.fill(bytes, IPV6_NETWORK_BYTES, bytes.length, (byte) 0);
        try {
            return InetAddress.getByAddress(bytes).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address keeps its length", e);
        }
    }
}
