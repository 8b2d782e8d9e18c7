package coop.sahkar.client.http;

import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Call;
import java.util.List;
import java.util.SortedMap;

/** How a family of services writes requests and answers. */
interface Dialect {
    /** Where a call goes, behind the base URL. */
    String path(Call call);

    /** What is sent there. */
    String body(Call call);

    /** Headers of every request, the key among them. */
    SortedMap<String, String> headers();

    /** Reads one answer. */
    Reading reading(String service);

    /** One answer being read. Used by one thread. */
    interface Reading {
        /**
         * What an event of the stream means.
         *
         * @throws NotAnAnswer if it cannot be understood
         */
        List<AnswerEvent> event(String name, String data) throws NotAnAnswer;

        /**
         * What an answer in one piece means.
         *
         * @throws NotAnAnswer if it cannot be understood
         */
        List<AnswerEvent> whole(Json body) throws NotAnAnswer;

        /** What it means that the stream ends here; nothing if all was said before. */
        List<AnswerEvent> end();
    }
}
