package coop.sahkar.proto.tls;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Lets calls through only from nodes that may make them, before anything of a call is read, and
 * looks at each call anew, so that a revoked node's connection is worth nothing.
 */
public final class PeerGate implements ServerInterceptor {
    private static final Context.Key<NodeName> CALLER = Context.key("sahkar-caller");

    private final NodeTls tls;
    private final Function<ServerCall<?, ?>, @Nullable SSLSession> sessions;
    private final Map<String, PeerRule> rules;
    private final Set<String> open;
    private final PeerRule others;
    private final Runnable onRefusal;

    /**
     * @param sessions finds the encryption of a call's connection; null in the open
     * @param rules who may call a service, or a method, by its full name; the method's goes first
     * @param open services and methods, by full name, that anybody may call
     * @param others who may call what is not named
     * @param onRefusal hears of each call that was not let through
     */
    public PeerGate(
            NodeTls tls,
            Function<ServerCall<?, ?>, @Nullable SSLSession> sessions,
            Map<String, PeerRule> rules,
            Set<String> open,
            PeerRule others,
            Runnable onRefusal) {
        this.tls = tls;
        this.sessions = sessions;
        this.rules = Map.copyOf(rules);
        this.open = Set.copyOf(open);
        this.others = others;
        this.onRefusal = onRefusal;
    }

    /** Who makes the call that runs on this thread; empty in the open. */
    public static Optional<NodeName> caller() {
        return Optional.ofNullable(CALLER.get());
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        NodeName peer = NodeTls.peer(sessions.apply(call)).orElse(null);
        PeerRule rule = rule(call);
        if (rule != null) {
            Status problem = problem(peer, rule);
            if (problem != null) {
                onRefusal.run();
                call.close(problem, new Metadata());
                return new ServerCall.Listener<>() {};
            }
        }
        return peer == null
                ? next.startCall(call, headers)
                : Contexts.interceptCall(
                        Context.current().withValue(CALLER, peer), call, headers, next);
    }

    private @Nullable PeerRule rule(ServerCall<?, ?> call) {
        var method = call.getMethodDescriptor();
        String service = String.valueOf(method.getServiceName());
        if (open.contains(method.getFullMethodName()) || open.contains(service)) {
            return null;
        }
        PeerRule exact = rules.get(method.getFullMethodName());
        return exact != null ? exact : rules.getOrDefault(service, others);
    }

    private @Nullable Status problem(@Nullable NodeName peer, PeerRule rule) {
        if (peer == null) {
            return Status.UNAUTHENTICATED.withDescription(
                    "this takes a certificate of the co-operative: join it with a token first");
        }
        if (tls.revocations().revoked(peer)) {
            return Status.UNAUTHENTICATED.withDescription(
                    "the certificate of %s is revoked".formatted(peer));
        }
        return rule.allows(peer)
                ? null
                : Status.PERMISSION_DENIED.withDescription(
                        "this is for a %s, not for %s".formatted(rule, peer));
    }
}
