package coop.sahkar.coordinator.log;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AddKey;
import coop.sahkar.coordinator.state.Command.AddTicketKey;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.AnnounceCoordinator;
import coop.sahkar.coordinator.state.Command.Barrier;
import coop.sahkar.coordinator.state.Command.ChangeAccount;
import coop.sahkar.coordinator.state.Command.ChangePolicy;
import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Command.ForgetCoordinator;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.Command.GiveNotice;
import coop.sahkar.coordinator.state.Command.IssueToken;
import coop.sahkar.coordinator.state.Command.NoteDayUsage;
import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.Command.PutAccount;
import coop.sahkar.coordinator.state.Command.RaiseLevel;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.Command.RevokeKey;
import coop.sahkar.coordinator.state.Command.RevokeNode;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.Command.WithdrawModel;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.proto.v1.BarrierEntry;
import coop.sahkar.proto.v1.LogEntry;
import java.nio.ByteBuffer;

/** Commands as bytes of the log. */
public final class CommandCodec {
    static final int FORMAT = 1;

    private CommandCodec() {}

    /** Writes a command. */
    public static byte[] write(LoggedCommand logged) {
        LogEntry.Builder entry =
                LogEntry.newBuilder()
                        .setFormat(FORMAT)
                        .setIdHigh(logged.id().high())
                        .setIdLow(logged.id().low());
        switch (logged.command()) {
            case RegisterWorker c -> entry.setRegisterWorker(EntryAdapter.write(c.worker()));
            case ForgetWorker c -> entry.setForgetWorker(c.workerId());
            case PublishModel c -> entry.setPublishModel(EntryAdapter.write(c));
            case WithdrawModel c -> entry.setWithdrawModel(c.modelId());
            case GiveNotice c -> entry.setGiveNotice(EntryAdapter.write(c));
            case AdoptPlacement c -> entry.setAdoptPlacement(EntryAdapter.write(c.placement()));
            case AddTicketKey c -> entry.setAddTicketKey(EntryAdapter.write(c.key()));
            case SetPolicy c -> entry.setSetPolicy(EntryAdapter.write(c.policy()));
            case IssueToken c -> entry.setIssueToken(MembershipAdapter.write(c));
            case EnrolNode c -> entry.setEnrol(MembershipAdapter.write(c));
            case RevokeNode c -> entry.setRevoke(MembershipAdapter.write(c));
            case PutAccount c -> entry.setPutAccount(AccountAdapter.write(c.account()));
            case ChangeAccount c -> entry.setChangeAccount(AccountAdapter.write(c));
            case ChangePolicy c -> entry.setChangePolicy(AccountAdapter.write(c));
            case Barrier _ -> entry.setBarrier(BarrierEntry.getDefaultInstance());
            case AddKey c -> entry.setAddApiKey(AccountAdapter.write(c.key()));
            case RevokeKey c -> entry.setRevokeApiKey(AccountAdapter.write(c));
            case NoteDayUsage c -> entry.setNoteDayUsage(AccountAdapter.write(c.usage()));
            case SetAccess c -> entry.setSetAccess(AccountAdapter.write(c.access()));
            case PostUsage c -> entry.setPostUsage(LedgerAdapter.write(c.batch()));
            case AnnounceCoordinator c ->
                    entry.setAnnounceCoordinator(EntryAdapter.write(c.coordinator()));
            case ForgetCoordinator c -> entry.setForgetCoordinator(c.id());
            case RaiseLevel c -> entry.setRaiseLevel(c.level());
        }
        return entry.build().toByteArray();
    }

    /**
     * Reads a command.
     *
     * @throws LogFormatException if the bytes are no command of a format known here
     */
    public static LoggedCommand read(ByteBuffer bytes) {
        try {
            LogEntry entry = LogEntry.parseFrom(bytes);
            if (entry.getFormat() != FORMAT) {
                throw new LogFormatException(
                        "a log entry has format %d; this release reads format %d: start a newer one"
                                .formatted(entry.getFormat(), FORMAT));
            }
            CommandId id = new CommandId(entry.getIdHigh(), entry.getIdLow());
            return new LoggedCommand(id, command(entry));
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            throw new LogFormatException("a log entry is garbled: " + e.getMessage());
        }
    }

    private static Command command(LogEntry entry) {
        return switch (entry.getCommandCase()) {
            case REGISTER_WORKER ->
                    new RegisterWorker(EntryAdapter.read(entry.getRegisterWorker()));
            case FORGET_WORKER -> new ForgetWorker(entry.getForgetWorker());
            case PUBLISH_MODEL -> EntryAdapter.read(entry.getPublishModel());
            case WITHDRAW_MODEL -> new WithdrawModel(entry.getWithdrawModel());
            case GIVE_NOTICE -> EntryAdapter.read(entry.getGiveNotice());
            case ADOPT_PLACEMENT ->
                    new AdoptPlacement(EntryAdapter.read(entry.getAdoptPlacement()));
            case ADD_TICKET_KEY -> new AddTicketKey(EntryAdapter.read(entry.getAddTicketKey()));
            case SET_POLICY -> new SetPolicy(EntryAdapter.read(entry.getSetPolicy()));
            case ISSUE_TOKEN -> MembershipAdapter.readIssue(entry.getIssueToken());
            case ENROL -> MembershipAdapter.read(entry.getEnrol());
            case REVOKE -> MembershipAdapter.read(entry.getRevoke());
            case PUT_ACCOUNT -> new PutAccount(AccountAdapter.read(entry.getPutAccount()));
            case CHANGE_ACCOUNT -> AccountAdapter.read(entry.getChangeAccount());
            case CHANGE_POLICY -> AccountAdapter.read(entry.getChangePolicy());
            case BARRIER -> new Barrier();
            case ADD_API_KEY -> new AddKey(AccountAdapter.read(entry.getAddApiKey()));
            case REVOKE_API_KEY -> AccountAdapter.read(entry.getRevokeApiKey());
            case NOTE_DAY_USAGE -> new NoteDayUsage(AccountAdapter.read(entry.getNoteDayUsage()));
            case SET_ACCESS -> new SetAccess(AccountAdapter.read(entry.getSetAccess()));
            case POST_USAGE -> new PostUsage(LedgerAdapter.read(entry.getPostUsage()));
            case ANNOUNCE_COORDINATOR ->
                    new AnnounceCoordinator(EntryAdapter.read(entry.getAnnounceCoordinator()));
            case FORGET_COORDINATOR -> new ForgetCoordinator(entry.getForgetCoordinator());
            case RAISE_LEVEL -> new RaiseLevel(entry.getRaiseLevel());
            case COMMAND_NOT_SET ->
                    throw new LogFormatException(
                            "a log entry holds no command known here: start a newer release");
        };
    }
}
