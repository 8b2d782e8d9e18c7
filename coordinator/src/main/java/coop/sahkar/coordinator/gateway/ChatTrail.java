package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.CallReader;
import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatCall;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.ChatTool;
import coop.sahkar.proto.v1.Started;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The trail of a chat: one link for each message. Of a message with calls of functions its text and
 * the first call count, told apart as the caller was told them: he sends them back so, and may
 * write the arguments with other blanks.
 */
final class ChatTrail implements Trail {
    /** Beginnings of a chat that are looked for: its newest messages may have been edited. */
    private static final int MOST_BEGINNINGS = 16;

    private final Deque<ByteBuffer> beginnings = new ArrayDeque<>();
    private final HashChain chain;
    private final Set<String> functions = new TreeSet<>();
    private final StringBuilder name = new StringBuilder();
    private final StringBuilder arguments = new StringBuilder();
    private @Nullable CallReader reader;
    private boolean spoke;

    private ChatTrail(HashChain chain) {
        this.chain = chain;
    }

    /** Goes on in a chain that has said whose chat it is and with which model. */
    static ChatTrail of(HashChain chain, Chat chat) {
        ChatTrail trail = new ChatTrail(chain);
        for (ChatTool tool : chat.getToolsList()) {
            trail.functions.add(tool.getName());
        }
        for (ChatMessage message : chat.getMessagesList()) {
            trail.begin(message.getRole());
            trail.say(message.getContent());
            if (message.getCallsCount() > 0) {
                ChatCall call = message.getCalls(0);
                trail.call(call.getName(), call.getArguments());
            }
            trail.end();
        }
        trail.begin("assistant");
        return trail;
    }

    @Override
    public void started(Started started) {
        if (reader == null && !functions.isEmpty()) {
            reader = new CallRules(functions, true).reader(started);
        }
    }

    @Override
    public void answer(String text) {
        if (reader == null) {
            say(text);
        } else {
            reader.read(text).forEach(this::take);
        }
    }

    @Override
    public ByteBuffer answered() {
        if (reader != null) {
            reader.end().forEach(this::take);
        }
        if (!name.isEmpty()) {
            call(name.toString(), arguments.toString());
        }
        return chain.link();
    }

    private void take(CallReader.Part part) {
        switch (part) {
            case CallReader.Part.Text(String text) -> say(text);
            case CallReader.Part.Begun(int index, String called) when index == 0 ->
                    name.append(called);
            case CallReader.Part.Arguments(int index, String more) when index == 0 ->
                    arguments.append(more);
            case CallReader.Part.Begun _, CallReader.Part.Arguments _, CallReader.Part.Ended _ -> {}
        }
    }

    @Override
    public List<ByteBuffer> beginnings() {
        return List.copyOf(beginnings);
    }

    private void begin(String role) {
        chain.link();
        chain.sayWhole(role);
        spoke = false;
    }

    /** Blanks in front do not count: where nothing else stands before a call they are not told. */
    private void say(String text) {
        String said = spoke ? text : text.stripLeading();
        spoke |= !said.isEmpty();
        chain.say(said);
    }

    private void call(String function, String given) {
        chain.sayWhole(function);
        chain.sayWhole(Json.compact(given));
    }

    private void end() {
        beginnings.addFirst(chain.link());
        if (beginnings.size() > MOST_BEGINNINGS) {
            beginnings.removeLast();
        }
    }
}
