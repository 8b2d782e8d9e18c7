package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.coordinator.accounts.AccountDesk;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.limits.UsedSoFar;
import coop.sahkar.coordinator.state.Command.Setting;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.governance.PolicySettings;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.AccountUsage;
import coop.sahkar.proto.v1.AccountsGrpc;
import coop.sahkar.proto.v1.CreateKeyReply;
import coop.sahkar.proto.v1.CreateKeyRequest;
import coop.sahkar.proto.v1.GetPolicyRequest;
import coop.sahkar.proto.v1.GiveNoticeReply;
import coop.sahkar.proto.v1.GiveNoticeRequest;
import coop.sahkar.proto.v1.KeyMessage;
import coop.sahkar.proto.v1.ListKeysReply;
import coop.sahkar.proto.v1.ListKeysRequest;
import coop.sahkar.proto.v1.PolicyReply;
import coop.sahkar.proto.v1.PolicySetting;
import coop.sahkar.proto.v1.RevokeKeyReply;
import coop.sahkar.proto.v1.RevokeKeyRequest;
import coop.sahkar.proto.v1.SetPolicyRequest;
import coop.sahkar.proto.v1.UsageReply;
import coop.sahkar.proto.v1.UsageRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;

/** Accounts over gRPC, for the command line. */
final class AccountsService extends AccountsGrpc.AccountsImplBase {
    /** Settings that are changed at once. */
    private static final int MAX_SETTINGS = 256;

    private final Gate gate;

    AccountsService(Gate gate) {
        this.gate = gate;
    }

    @Override
    public void createKey(CreateKeyRequest r, StreamObserver<CreateKeyReply> out) {
        answer(
                out,
                caller -> {
                    AccountDesk.Made made =
                            gate.desk()
                                    .create(
                                            caller,
                                            r.getAccount(),
                                            r.getRole(),
                                            r.getTier(),
                                            r.getLabel());
                    return CreateKeyReply.newBuilder()
                            .setSecret(made.secret())
                            .setKey(key(made.listed()))
                            .build();
                });
    }

    @Override
    public void listKeys(ListKeysRequest request, StreamObserver<ListKeysReply> out) {
        answer(
                out,
                caller ->
                        ListKeysReply.newBuilder()
                                .addAllKeys(
                                        gate.desk().keys(caller).stream()
                                                .map(AccountsService::key)
                                                .toList())
                                .build());
    }

    @Override
    public void revokeKey(RevokeKeyRequest request, StreamObserver<RevokeKeyReply> out) {
        answer(
                out,
                caller ->
                        RevokeKeyReply.newBuilder()
                                .setKey(key(gate.desk().revoke(caller, request.getKeyId())))
                                .build());
    }

    @Override
    public void usage(UsageRequest request, StreamObserver<UsageReply> out) {
        answer(
                out,
                caller ->
                        gate.used()
                                .get()
                                .map(used -> usage(caller, used))
                                .orElse(UsageReply.getDefaultInstance()));
    }

    private UsageReply usage(Caller caller, List<UsedSoFar> all) {
        UsageReply.Builder reply = UsageReply.newBuilder().setLeads(true);
        all.stream()
                .filter(used -> caller.operator() || used.account().equals(caller.account()))
                .forEach(used ->
                        reply.addAccounts(
                                AccountUsage.newBuilder()
                                        .setAccount(gate.desk().nameOf(used.account()))
                                        .setTier(gate.desk().tierOf(used.account()))
                                        .setRequestsThisMinute(used.requestsThisMinute())
                                        .setTokensThisMinute(used.tokensThisMinute())
                                        .setTokensToday(used.tokensToday())
                                        .setSessions(used.sessions())));
        return reply.build();
    }

    @Override
    public void setPolicy(SetPolicyRequest request, StreamObserver<PolicyReply> out) {
        answer(
                out,
                caller -> {
                    if (request.getSettingsCount() > MAX_SETTINGS
                            || request.getExpectedCount() > MAX_SETTINGS) {
                        throw new IllegalArgumentException(
                                "At most %d settings are changed at once.".formatted(MAX_SETTINGS));
                    }
                    return policy(
                            gate.desk()
                                    .change(
                                            caller,
                                            settings(request.getSettingsList()),
                                            settings(request.getExpectedList())));
                });
    }

    private static List<Setting> settings(List<PolicySetting> wire) {
        return wire.stream().map(s -> new Setting(s.getName(), s.getValue())).toList();
    }

    @Override
    public void getPolicy(GetPolicyRequest request, StreamObserver<PolicyReply> out) {
        PolicySettings latest;
        try {
            latest = gate.desk().latestPolicy();
        } catch (LogUnavailableException away) {
            fail(out, Status.UNAVAILABLE, String.valueOf(away.getMessage()));
            return;
        }
        out.onNext(policy(latest));
        out.onCompleted();
    }

    @Override
    public void giveNotice(GiveNoticeRequest r, StreamObserver<GiveNoticeReply> out) {
        OptionalLong in =
                r.hasInMillis()
                        ? OptionalLong.of(r.getInMillis() < 0 ? Long.MAX_VALUE : r.getInMillis())
                        : OptionalLong.empty();
        answer(
                out,
                caller -> {
                    ModelRecord model =
                            r.getStays()
                                    ? gate.desk().takeNoticeBack(caller, r.getModel())
                                    : gate.desk().giveNotice(caller, r.getModel(), in);
                    return GiveNoticeReply.newBuilder()
                            .setModelId(model.id())
                            .setGoneAtMillis(model.goneAtMillis())
                            .build();
                });
    }

    private static PolicyReply policy(PolicySettings settings) {
        PolicyReply.Builder reply = PolicyReply.newBuilder();
        settings.all()
                .forEach((name, value) ->
                        reply.addSettings(
                                PolicySetting.newBuilder().setName(name).setValue(value)));
        return reply.build();
    }

    private static KeyMessage key(AccountDesk.Listed listed) {
        return KeyMessage.newBuilder()
                .setId(listed.key().id())
                .setAccount(listed.account().name())
                .setRole(listed.account().role().word())
                .setTier(listed.account().tier())
                .setLabel(listed.key().label())
                .setCreatedAtMillis(listed.key().createdAtMillis())
                .setRevokedAtMillis(listed.key().revokedAtMillis())
                .build();
    }

    private <T> void answer(StreamObserver<T> out, Function<Caller, T> work) {
        switch (Accounts.identify(gate.doorkeeper(), ServiceRequestContext.current())) {
            case Doorkeeper.Entry.Refused(Problem problem) ->
                    fail(
                            out,
                            problem.kind() == Problem.Kind.UNAUTHORIZED
                                    ? Status.UNAUTHENTICATED
                                    : Status.UNAVAILABLE,
                            problem.message());
            case Doorkeeper.Entry.Known(Caller caller) -> answer(out, caller, work);
        }
    }

    private static <T> void answer(StreamObserver<T> out, Caller caller, Function<Caller, T> work) {
        try {
            out.onNext(work.apply(caller));
            out.onCompleted();
        } catch (AccountDesk.Refused refused) {
            Status status =
                    switch (refused.why()) {
                        case FORBIDDEN -> Status.PERMISSION_DENIED;
                        case WRONG -> Status.INVALID_ARGUMENT;
                        case OVERTAKEN -> Status.ABORTED;
                    };
            fail(out, status, String.valueOf(refused.getMessage()));
        } catch (IllegalArgumentException wrong) {
            fail(out, Status.INVALID_ARGUMENT, String.valueOf(wrong.getMessage()));
        } catch (LogUnavailableException away) {
            fail(out, Status.UNAVAILABLE, String.valueOf(away.getMessage()));
        }
    }

    private static void fail(StreamObserver<?> out, Status status, String sentence) {
        out.onError(status.withDescription(sentence).asRuntimeException());
    }
}
