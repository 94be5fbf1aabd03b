// Made by build.mjs from openapi.json. Do not edit.

export interface paths {
    "/api/v1/chains/{chain}/games": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Games, newest first. */
        get: operations["games"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/games/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A game with its moves. */
        get: operations["game"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/games/{id}/moves/{ply}/proof": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The proof of an NPC's move, from its transaction, whoever sent it. */
        get: operations["proof"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/games/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A game as it goes on: the event `game` holds all of it whenever it has changed, `progress` how the NPC's answer is getting on. */
        get: operations["follow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/guards": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The guarded vaults that this daemon watches. */
        get: operations["guards"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/guards/{vault}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One vault. */
        get: operations["guard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/guards/{vault}/incidents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A vault's flagged withdrawals, newest first. */
        get: operations["incidents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/guards/{vault}/incidents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One flagged withdrawal. */
        get: operations["incident"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/guards/{vault}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A vault as it changes: the event `guard` holds all of it, `incident` the newest flagged withdrawal. */
        get: operations["guard_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/markets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Markets, newest first. */
        get: operations["markets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/markets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One market. */
        get: operations["market"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/markets/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One market as it changes: the event `market` holds all of it. */
        get: operations["market_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/offers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Offers of games, newest first. */
        get: operations["offers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/worlds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Games of the World, newest first. */
        get: operations["worlds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/worlds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A game of the World with its moves and the votes of the open window. */
        get: operations["world"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/worlds/{id}/moves/{ply}/proof": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The proof of an NPC's move against the World, from its transaction, whoever sent it. */
        get: operations["world_proof"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chains/{chain}/worlds/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A game of the World as it goes on: the event `world` holds all of it whenever it has changed, `progress` how the NPC's answer is
         *     getting on.
         */
        get: operations["follow_world"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Chains, apps and models of this daemon. What isn't public isn't named. */
        get: operations["info"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What needed attention lately, newest first, and whether webhooks took it. */
        get: operations["alerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The nodes that are asked, and how they do. */
        get: operations["endpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the daemons do from now on: one JSON object each, of which `event` says the kind. */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs of a chain, newest first. */
        get: operations["jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job with its time line and its transactions. */
        get: operations["job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/jobs/{id}/drop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives a job up. */
        post: operations["drop_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Works on a job again that ended without an answer. */
        post: operations["retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The keys that sign: what they have, and what they may spend. */
        get: operations["keys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every series that `/metrics` gives. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The networks that are loaded, and what a proof of each takes. */
        get: operations["models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reads a block's logs again, and does what they ask. What has a job already isn't doubled. */
        post: operations["replay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every chain's daemon: health, head, counts of jobs and transactions. */
        get: operations["status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Transactions of a chain, newest first. */
        get: operations["transactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/transactions/{id}/bump": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replaces a transaction at the next turn by a version that pays more, within the caps. */
        post: operations["bump"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/transactions/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives a transaction up, and with it the job that it answers: its nonce is used by a payment of nothing to ourselves. */
        post: operations["cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The machines that make proofs for this daemon, beside its own. */
        get: operations["workers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An alert that was told. */
        AlertView: {
            /**
             * Format: int64
             * @description When, Unix milliseconds.
             */
            at: number;
            /**
             * Format: int64
             * @description Which chain's.
             */
            chain_id: number;
            /** @description Whether every webhook took it; null while that is under way, or without a webhook. */
            delivered?: boolean | null;
            /** @description What it is about. */
            kind: string;
            /** @description Whether it is open still. */
            open: boolean;
            /** @description Its words. */
            text: string;
        };
        /** @description An app. */
        AppInfo: {
            /** @description Its contract. */
            contract: string;
            /** @description Which: `chess`, `world`, `market`, `board`, `guard` or `oracle`. */
            kind: string;
        };
        /** @description A signed bulletin. */
        BulletinView: {
            /** @description Who signed it. */
            publisher: string;
            /**
             * Format: int64
             * @description Its number in the feed.
             */
            sequence: number;
            /** @description The publisher's signature, 65 bytes. */
            signature: string;
            /** @description What it says. */
            text: string;
            /**
             * Format: int64
             * @description Unix time by the publisher's clock.
             */
            timestamp: number;
        };
        /** @description A chain. */
        ChainInfo: {
            /** @description Its apps. */
            apps: components["schemas"]["AppInfo"][];
            /**
             * Format: int64
             * @description Its id.
             */
            chain_id: number;
            /**
             * Format: int64
             * @description Blocks on top of an event before it is acted on.
             */
            confirmations: number;
            /** @description Whether it is a local demo chain. */
            demo: boolean;
            /** @description What a transaction's hash is appended to for a link. */
            explorer?: string | null;
            /**
             * Format: int64
             * @description Blocks on top of a transaction before it is final.
             */
            finality: number;
            head?: null | components["schemas"]["HeadInfo"];
            /** @description A node that pages may ask. */
            rpc_url?: string | null;
        };
        /** @description What came of an order. */
        Done: {
            /** @description In words, one line for each thing. */
            said: string[];
        };
        /** @description An endpoint of a chain. */
        EndpointView: {
            /**
             * Format: int64
             * @description Whose.
             */
            chain_id: number;
            /** @description `well`, `resting`, `throttled`, `behind` or `excluded`. */
            condition: string;
            /** @description Scheme and host. */
            endpoint: string;
            /**
             * Format: int64
             * @description Requests that failed.
             */
            errors: number;
            /**
             * Format: int64
             * @description The newest block that it has told of.
             */
            head?: number | null;
            /**
             * Format: int64
             * @description How many blocks that is behind the best head.
             */
            lag: number;
            /**
             * Format: int64
             * @description Milliseconds that the latest answer took.
             */
            latency_ms: number;
            /**
             * Format: int64
             * @description Requests since the start.
             */
            requests: number;
            /** @description The latest failure. */
            trouble?: string | null;
        };
        /** @description A number that the model reads of an account. */
        Feature: {
            /** @description In the files of the training. */
            key: string;
            /** @description In words, with its unit; amounts are in millionths of a whole token. */
            name: string;
            /** @description How it is spread over the training's accounts; empty where that isn't known. */
            quantiles: components["schemas"]["Quantile"][];
            /**
             * Format: int64
             * @description Its value.
             */
            value: number;
        };
        /** @description A game, without its moves. */
        GameSummary: {
            /** @description The arena. */
            arena: string;
            /**
             * Format: int64
             * @description The arena's chain.
             */
            chain_id: number;
            /**
             * Format: int64
             * @description Unix time at which the side to move loses; means nothing once the game is over.
             */
            deadline: number;
            /** @description The position. */
            fen: string;
            /** @description Who offered the game. */
            host: string;
            /** @description Who plays against the NPC. */
            human: string;
            /** @description The human's colour. */
            human_is_white: boolean;
            /** @description Whose turn it is. */
            human_to_move: boolean;
            /** @description Its number. */
            id: string;
            /** @description The model that plays. */
            model_id: string;
            /**
             * Format: int64
             * @description Seconds for each move.
             */
            move_time_s: number;
            /** @description The offer that it came of. */
            offer_id: string;
            /** @description Who won: `human`, `npc`, `draw`; null while it runs. */
            outcome?: string | null;
            /**
             * Format: int64
             * @description Half-moves played.
             */
            ply: number;
            /**
             * @description How it ended: `checkmate`, `stalemate`, `resignation`, `timeout`, `fifty_moves`, `threefold`,
             *     `insufficient_material`, `seventy_five_moves`, `no_legal_choice`; null while it runs.
             */
            reason?: string | null;
            /** @description Wei that each side staked. */
            stake: string;
            /** @description The verifier contract. */
            verifier: string;
        };
        /** @description A game with its moves. */
        GameView: components["schemas"]["GameSummary"] & {
            /** @description Its moves, in order. */
            moves: components["schemas"]["MoveView"][];
            npc?: null | components["schemas"]["Progress"];
        };
        /** @description A guarded vault. */
        GuardView: {
            /** @description Its asset. */
            asset: string;
            /**
             * Format: int64
             * @description Chain id.
             */
            chain_id: number;
            /**
             * Format: int32
             * @description Decimals of the asset.
             */
            decimals: number;
            /**
             * Format: int64
             * @description Seconds that a flagged withdrawal waits at most.
             */
            delay: number;
            /** @description What flagged withdrawals wait for, in the asset's smallest unit. */
            escrowed: string;
            /** @description Who may end a pause. */
            governance: string;
            /**
             * Format: int64
             * @description Seconds after a pause in which no other begins.
             */
            grace: number;
            /**
             * Format: int64
             * @description How many withdrawals were flagged.
             */
            incidents: number;
            /** @description The model that scores accounts. */
            model_id: string;
            /** @description Its name; empty of a guarded contract that is no vault. */
            name: string;
            /**
             * Format: int64
             * @description Seconds that a pause lasts.
             */
            pause: number;
            /**
             * Format: int64
             * @description These and higher scores hold, and pause.
             */
            pause_at: number;
            /** @description Whether nothing may leave now. */
            paused: boolean;
            /** @description The incident that began the last pause. */
            paused_by?: string | null;
            /**
             * Format: int64
             * @description Unix time at which the last pause ends or ended; null if there was none.
             */
            paused_until?: number | null;
            /**
             * Format: int64
             * @description Lower scores release.
             */
            release_below: number;
            /**
             * Format: int64
             * @description Ten-thousandths of the vault above which one withdrawal is flagged.
             */
            single_bps: number;
            /** @description The symbol of its asset. */
            symbol: string;
            /** @description What belongs to the shares, in the asset's smallest unit. */
            total_assets: string;
            /** @description The vault. */
            vault: string;
            /** @description The contract that checks proofs. */
            verifier: string;
            /**
             * Format: int64
             * @description Seconds in which the window's bucket leaks empty.
             */
            window: number;
            /**
             * Format: int64
             * @description Ten-thousandths of the vault above which the withdrawals of a window are.
             */
            window_bps: number;
        };
        /** @description A block. */
        HeadInfo: {
            /** @description Its hash. */
            hash: string;
            /**
             * Format: int64
             * @description Its number.
             */
            number: number;
            /**
             * Format: int64
             * @description Its Unix time.
             */
            timestamp: number;
        };
        /**
         * @description What became of a flagged withdrawal.
         * @enum {string}
         */
        IncidentState: "delayed" | "released" | "held" | "claimed";
        /** @description A transaction that changed an incident. */
        IncidentTx: {
            /**
             * Format: int64
             * @description Its block.
             */
            block: number;
            /** @description `flagged`, `appealed`, `released`, `held`, `paused`, `claimed` or `pause_ended`. */
            kind: string;
            /**
             * Format: int64
             * @description The block's Unix time.
             */
            timestamp: number;
            /** @description Its hash. */
            tx: string;
        };
        /** @description A flagged withdrawal. */
        IncidentView: {
            /** @description Whose money. */
            account: string;
            /** @description How much, in the asset's smallest unit. */
            amount: string;
            /**
             * Format: int64
             * @description Unix time of the withdrawal, or of the last appeal.
             */
            asked_at: number;
            /** @description What the model reads of the account, as of the last snapshot. */
            features: components["schemas"]["Feature"][];
            /** @description Its number in the vault. */
            id: string;
            /** @description Whether it was flagged for its own size, not for what else left within the window. */
            large: boolean;
            progress?: null | components["schemas"]["Progress"];
            /** @description Who gets it. */
            receiver: string;
            /**
             * Format: int64
             * @description Unix time from which it may be taken out in any case.
             */
            release_at: number;
            /**
             * Format: int64
             * @description Which snapshot of its account is the last to be judged: one more for each appeal.
             */
            round: number;
            /**
             * Format: int64
             * @description The last proven score.
             */
            score?: number | null;
            /** @description What became of it. */
            state: components["schemas"]["IncidentState"];
            /** @description What happened, in order. */
            txs: components["schemas"]["IncidentTx"][];
            /** @description What the score meant. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description What this daemon serves. */
        Info: {
            /** @description The chains that everybody may see something of. */
            chains: components["schemas"]["ChainInfo"][];
            /** @description The models that it proves. */
            models: components["schemas"]["ModelInfo"][];
            /** @description Whether anything is public. */
            public: boolean;
            /** @description Its version. */
            version: string;
        };
        /** @description A job with its transactions, oldest first. */
        JobDetail: components["schemas"]["JobView"] & {
            /** @description The step of the proof in the making, in words. */
            step?: string | null;
            /** @description When it came to what. */
            times?: components["schemas"]["Times"];
            /** @description Its transactions. */
            transactions: components["schemas"]["TxView"][];
        };
        /** @description A job. */
        JobView: {
            /** @description The app whose contract asks; null where the caller has no configuration. */
            app?: string | null;
            /**
             * Format: int32
             * @description Proofs started.
             */
            attempts: number;
            /**
             * Format: int64
             * @description The block that asked.
             */
            block: number;
            /**
             * Format: int64
             * @description Chain id.
             */
            chain_id: number;
            /** @description The contract that asks. */
            contract: string;
            /**
             * Format: int64
             * @description When it was first stored, unix milliseconds.
             */
            created_at: number;
            /**
             * Format: int64
             * @description Its row, by which commands name it.
             */
            id: number;
            /** @description Why, where that needs words. */
            note: string;
            /**
             * Format: int64
             * @description Milliseconds that the stored proof took.
             */
            proving_ms?: number | null;
            /**
             * Format: int64
             * @description Which question.
             */
            round: number;
            /** @description Where it stands. */
            state: string;
            /** @description What is asked about. */
            subject: string;
            /**
             * Format: int64
             * @description When it last changed, unix milliseconds.
             */
            updated_at?: number;
        };
        /** @description A key that signs. */
        KeyView: {
            /** @description Its address. */
            address: string;
            /** @description Its wei; null while the node doesn't answer. */
            balance?: string | null;
            /**
             * Format: int64
             * @description On which chain.
             */
            chain_id: number;
            /** @description Most wei in any 24 hours; null for no limit. */
            day_limit?: string | null;
            /** @description Wei that the last 24 hours cost, and that what is under way may cost. */
            day_spent: string;
            /** @description Most wei in any hour; null for no limit. */
            hour_limit?: string | null;
            /** @description Wei that the last hour cost, and that what is under way may cost. */
            hour_spent: string;
            /** @description Its name, by which an app chooses it. */
            name: string;
        };
        /** @description Some rows of a list. */
        List_AlertView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @description When, Unix milliseconds.
                 */
                at: number;
                /**
                 * Format: int64
                 * @description Which chain's.
                 */
                chain_id: number;
                /** @description Whether every webhook took it; null while that is under way, or without a webhook. */
                delivered?: boolean | null;
                /** @description What it is about. */
                kind: string;
                /** @description Whether it is open still. */
                open: boolean;
                /** @description Its words. */
                text: string;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_EndpointView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @description Whose.
                 */
                chain_id: number;
                /** @description `well`, `resting`, `throttled`, `behind` or `excluded`. */
                condition: string;
                /** @description Scheme and host. */
                endpoint: string;
                /**
                 * Format: int64
                 * @description Requests that failed.
                 */
                errors: number;
                /**
                 * Format: int64
                 * @description The newest block that it has told of.
                 */
                head?: number | null;
                /**
                 * Format: int64
                 * @description How many blocks that is behind the best head.
                 */
                lag: number;
                /**
                 * Format: int64
                 * @description Milliseconds that the latest answer took.
                 */
                latency_ms: number;
                /**
                 * Format: int64
                 * @description Requests since the start.
                 */
                requests: number;
                /** @description The latest failure. */
                trouble?: string | null;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_GameSummary: {
            /** @description The rows. */
            items: {
                /** @description The arena. */
                arena: string;
                /**
                 * Format: int64
                 * @description The arena's chain.
                 */
                chain_id: number;
                /**
                 * Format: int64
                 * @description Unix time at which the side to move loses; means nothing once the game is over.
                 */
                deadline: number;
                /** @description The position. */
                fen: string;
                /** @description Who offered the game. */
                host: string;
                /** @description Who plays against the NPC. */
                human: string;
                /** @description The human's colour. */
                human_is_white: boolean;
                /** @description Whose turn it is. */
                human_to_move: boolean;
                /** @description Its number. */
                id: string;
                /** @description The model that plays. */
                model_id: string;
                /**
                 * Format: int64
                 * @description Seconds for each move.
                 */
                move_time_s: number;
                /** @description The offer that it came of. */
                offer_id: string;
                /** @description Who won: `human`, `npc`, `draw`; null while it runs. */
                outcome?: string | null;
                /**
                 * Format: int64
                 * @description Half-moves played.
                 */
                ply: number;
                /**
                 * @description How it ended: `checkmate`, `stalemate`, `resignation`, `timeout`, `fifty_moves`, `threefold`,
                 *     `insufficient_material`, `seventy_five_moves`, `no_legal_choice`; null while it runs.
                 */
                reason?: string | null;
                /** @description Wei that each side staked. */
                stake: string;
                /** @description The verifier contract. */
                verifier: string;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_GuardView: {
            /** @description The rows. */
            items: {
                /** @description Its asset. */
                asset: string;
                /**
                 * Format: int64
                 * @description Chain id.
                 */
                chain_id: number;
                /**
                 * Format: int32
                 * @description Decimals of the asset.
                 */
                decimals: number;
                /**
                 * Format: int64
                 * @description Seconds that a flagged withdrawal waits at most.
                 */
                delay: number;
                /** @description What flagged withdrawals wait for, in the asset's smallest unit. */
                escrowed: string;
                /** @description Who may end a pause. */
                governance: string;
                /**
                 * Format: int64
                 * @description Seconds after a pause in which no other begins.
                 */
                grace: number;
                /**
                 * Format: int64
                 * @description How many withdrawals were flagged.
                 */
                incidents: number;
                /** @description The model that scores accounts. */
                model_id: string;
                /** @description Its name; empty of a guarded contract that is no vault. */
                name: string;
                /**
                 * Format: int64
                 * @description Seconds that a pause lasts.
                 */
                pause: number;
                /**
                 * Format: int64
                 * @description These and higher scores hold, and pause.
                 */
                pause_at: number;
                /** @description Whether nothing may leave now. */
                paused: boolean;
                /** @description The incident that began the last pause. */
                paused_by?: string | null;
                /**
                 * Format: int64
                 * @description Unix time at which the last pause ends or ended; null if there was none.
                 */
                paused_until?: number | null;
                /**
                 * Format: int64
                 * @description Lower scores release.
                 */
                release_below: number;
                /**
                 * Format: int64
                 * @description Ten-thousandths of the vault above which one withdrawal is flagged.
                 */
                single_bps: number;
                /** @description The symbol of its asset. */
                symbol: string;
                /** @description What belongs to the shares, in the asset's smallest unit. */
                total_assets: string;
                /** @description The vault. */
                vault: string;
                /** @description The contract that checks proofs. */
                verifier: string;
                /**
                 * Format: int64
                 * @description Seconds in which the window's bucket leaks empty.
                 */
                window: number;
                /**
                 * Format: int64
                 * @description Ten-thousandths of the vault above which the withdrawals of a window are.
                 */
                window_bps: number;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_IncidentView: {
            /** @description The rows. */
            items: {
                /** @description Whose money. */
                account: string;
                /** @description How much, in the asset's smallest unit. */
                amount: string;
                /**
                 * Format: int64
                 * @description Unix time of the withdrawal, or of the last appeal.
                 */
                asked_at: number;
                /** @description What the model reads of the account, as of the last snapshot. */
                features: components["schemas"]["Feature"][];
                /** @description Its number in the vault. */
                id: string;
                /** @description Whether it was flagged for its own size, not for what else left within the window. */
                large: boolean;
                progress?: null | components["schemas"]["Progress"];
                /** @description Who gets it. */
                receiver: string;
                /**
                 * Format: int64
                 * @description Unix time from which it may be taken out in any case.
                 */
                release_at: number;
                /**
                 * Format: int64
                 * @description Which snapshot of its account is the last to be judged: one more for each appeal.
                 */
                round: number;
                /**
                 * Format: int64
                 * @description The last proven score.
                 */
                score?: number | null;
                /** @description What became of it. */
                state: components["schemas"]["IncidentState"];
                /** @description What happened, in order. */
                txs: components["schemas"]["IncidentTx"][];
                /** @description What the score meant. */
                verdict: components["schemas"]["Verdict"];
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_JobView: {
            /** @description The rows. */
            items: {
                /** @description The app whose contract asks; null where the caller has no configuration. */
                app?: string | null;
                /**
                 * Format: int32
                 * @description Proofs started.
                 */
                attempts: number;
                /**
                 * Format: int64
                 * @description The block that asked.
                 */
                block: number;
                /**
                 * Format: int64
                 * @description Chain id.
                 */
                chain_id: number;
                /** @description The contract that asks. */
                contract: string;
                /**
                 * Format: int64
                 * @description When it was first stored, unix milliseconds.
                 */
                created_at: number;
                /**
                 * Format: int64
                 * @description Its row, by which commands name it.
                 */
                id: number;
                /** @description Why, where that needs words. */
                note: string;
                /**
                 * Format: int64
                 * @description Milliseconds that the stored proof took.
                 */
                proving_ms?: number | null;
                /**
                 * Format: int64
                 * @description Which question.
                 */
                round: number;
                /** @description Where it stands. */
                state: string;
                /** @description What is asked about. */
                subject: string;
                /**
                 * Format: int64
                 * @description When it last changed, unix milliseconds.
                 */
                updated_at?: number;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_KeyView: {
            /** @description The rows. */
            items: {
                /** @description Its address. */
                address: string;
                /** @description Its wei; null while the node doesn't answer. */
                balance?: string | null;
                /**
                 * Format: int64
                 * @description On which chain.
                 */
                chain_id: number;
                /** @description Most wei in any 24 hours; null for no limit. */
                day_limit?: string | null;
                /** @description Wei that the last 24 hours cost, and that what is under way may cost. */
                day_spent: string;
                /** @description Most wei in any hour; null for no limit. */
                hour_limit?: string | null;
                /** @description Wei that the last hour cost, and that what is under way may cost. */
                hour_spent: string;
                /** @description Its name, by which an app chooses it. */
                name: string;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_LoadedModel: {
            /** @description The rows. */
            items: (components["schemas"]["ModelInfo"] & {
                /** @description Columns of its table. */
                columns: number;
                /**
                 * Format: int64
                 * @description Bytes of memory that its keys take.
                 */
                key_bytes: number;
                /**
                 * Format: int64
                 * @description Bytes of memory that one proof takes on top of that, predicted.
                 */
                memory_bytes: number;
                /** @description Rows of its table in use. */
                rows: number;
            })[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_MarketView: {
            /** @description The rows. */
            items: {
                answer?: null | components["schemas"]["MarketAnswer"];
                bulletin?: null | components["schemas"]["BulletinView"];
                /**
                 * Format: int64
                 * @description Chain id.
                 */
                chain_id: number;
                /**
                 * Format: int64
                 * @description Unix time from which bets are refused and bulletins count.
                 */
                close: number;
                /** @description The contract of markets. */
                contract: string;
                /**
                 * Format: int64
                 * @description The last Unix time at which it can be decided.
                 */
                deadline: number;
                /** @description The publisher's feed. */
                feed_id: string;
                /** @description Its number in the contract. */
                id: string;
                /**
                 * Format: int32
                 * @description The least margin that decides, as the model's integer.
                 */
                min_margin: number;
                /** @description The model that reads the bulletin. */
                model_id: string;
                /**
                 * Format: int32
                 * @description The class that decides nothing, if there is one.
                 */
                no_result?: number | null;
                /** @description The classes on which can be bet, in the model's order. */
                outcomes: components["schemas"]["OutcomeView"][];
                progress?: null | components["schemas"]["Progress"];
                proof?: null | components["schemas"]["MarketProof"];
                /** @description Who signs the bulletin that decides it. */
                publisher: string;
                /** @description What is asked, in words. */
                question: string;
                /** @description Whether everybody gets their bets back. */
                refunds: boolean;
                /**
                 * Format: int64
                 * @description The bulletin's number in the feed.
                 */
                sequence: number;
                /** @description Where it stands by the chain's newest block. */
                state: components["schemas"]["MarketState"];
                /** @description What was bet on all of them, in wei. */
                total: string;
                /** @description The contract that checks proofs. */
                verifier: string;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_OfferView: {
            /** @description The rows. */
            items: {
                /** @description Who offers. */
                host: string;
                /**
                 * Format: int64
                 * @description Games that may run at a time.
                 */
                max_games: number;
                /** @description The model that plays. */
                model_id: string;
                /**
                 * Format: int64
                 * @description Seconds for each move.
                 */
                move_time_s: number;
                /** @description Its number. */
                offer_id: string;
                /** @description Whether it can be taken up. */
                open: boolean;
                /**
                 * Format: int64
                 * @description Games that run.
                 */
                running: number;
                /** @description Whether this daemon plays the NPC of its games. */
                served: boolean;
                /** @description Wei that each side stakes. */
                stake: string;
                /** @description The verifier contract. */
                verifier: string;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_Series: {
            /** @description The rows. */
            items: {
                /** @description Its labels. */
                labels: {
                    [key: string]: string;
                };
                /** @description Its name; of a histogram's series with `_bucket`, `_sum` or `_count`. */
                name: string;
                /**
                 * Format: double
                 * @description Its value; null for what is no number.
                 */
                value?: number | null;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_Status: {
            /** @description The rows. */
            items: {
                /** @description Alerts that are open. */
                alerts: string[];
                /**
                 * Format: int64
                 * @description Unix milliseconds of its last sign of life in the store.
                 */
                alive_at?: number | null;
                /** @description Each app's name and contract. */
                apps: string[];
                /** @description What it has, in ether. */
                balance_ether?: string | null;
                /**
                 * Format: int64
                 * @description Chain id.
                 */
                chain_id: number;
                /**
                 * Format: int64
                 * @description The last block whose events are stored.
                 */
                cursor?: number | null;
                /**
                 * Format: int64
                 * @description The node's newest block.
                 */
                head?: number | null;
                /** @description Jobs by state. */
                jobs: {
                    [key: string]: number;
                };
                /** @description Whether it does its work. */
                ready: boolean;
                /** @description Whether a daemon runs. */
                running: boolean;
                /** @description The signing address. */
                signer?: string | null;
                /**
                 * Format: int64
                 * @description Unix milliseconds of its start.
                 */
                started_at?: number | null;
                /** @description Transactions by state. */
                transactions: {
                    [key: string]: number;
                };
                /** @description Why not. */
                why: string[];
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_TxView: {
            /** @description The rows. */
            items: {
                /**
                 * Format: int64
                 * @description The block that it is in.
                 */
                block?: number | null;
                /**
                 * Format: int64
                 * @description Gas that it used.
                 */
                gas_used?: number | null;
                /** @description Hash of the newest version. */
                hash?: string | null;
                /**
                 * Format: int64
                 * @description Its row, by which commands name it.
                 */
                id: number;
                /**
                 * Format: int64
                 * @description The job that it answers.
                 */
                job?: number | null;
                /** @description Highest fee per gas of the newest version, in wei. */
                max_fee?: string | null;
                /** @description Its tip per gas, in wei. */
                max_priority?: string | null;
                /**
                 * Format: int64
                 * @description Its nonce.
                 */
                nonce: number;
                /** @description Whether it succeeded there. */
                ok?: boolean | null;
                /** @description What it is for, in words. */
                purpose: string;
                /**
                 * Format: int64
                 * @description When the newest version was signed, unix milliseconds.
                 */
                signed_at?: number | null;
                /** @description Whose nonce it has; null where it is shown with its job. */
                signer?: string | null;
                /** @description Where it stands. */
                state: string;
                /** @description Signed versions. */
                versions: number;
                /** @description What the operator wants done with it at the next turn. */
                wanted?: string | null;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_WorkerView: {
            /** @description The rows. */
            items: {
                /** @description Proofs that it makes now. */
                busy: number;
                /** @description Its machine's cores. */
                cores: number;
                /** @description The models that it has loaded. */
                models: string[];
                /** @description The release that it runs. */
                release: string;
                /** @description Proofs that it makes at the same time. */
                slots: number;
                /** @description Its id. */
                worker: string;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description Some rows of a list. */
        List_WorldSummary: {
            /** @description The rows. */
            items: {
                /** @description The arena. */
                arena: string;
                /**
                 * Format: int64
                 * @description The arena's chain.
                 */
                chain_id: number;
                /**
                 * Format: int64
                 * @description Unix time of the last second of the side to move; means nothing once the game is over.
                 */
                deadline: number;
                /** @description The position. */
                fen: string;
                /** @description Who opened the game. */
                host: string;
                /** @description The World's colour. */
                human_is_white: boolean;
                /** @description Whose turn it is. */
                human_to_move: boolean;
                /** @description Its number. */
                id: string;
                /** @description Wei that were staked on them. */
                in_play: string;
                /**
                 * Format: int64
                 * @description Seconds that a change of the leader leaves at least, but for the window's latest end.
                 */
                last_call_s: number;
                /** @description The least that a vote must bring, in wei. */
                least_stake: string;
                /** @description The model that plays. */
                model_id: string;
                /**
                 * Format: int64
                 * @description Seconds for each move of the NPC.
                 */
                move_time_s: number;
                /** @description Who won: `human` for the World, `npc`, `draw`; null while it runs. */
                outcome?: string | null;
                /**
                 * Format: int64
                 * @description Half-moves played.
                 */
                ply: number;
                /** @description Wei that the host put up. */
                pot: string;
                /** @description How it ended, as of games of chess; null while it runs. */
                reason?: string | null;
                /**
                 * Format: int64
                 * @description How many moves the World has played: each has an equal part of the pot, if it wins.
                 */
                rounds: number;
                /** @description The verifier contract. */
                verifier: string;
                /**
                 * Format: int64
                 * @description Seconds of a window, unless its end is put off.
                 */
                window_s: number;
            }[];
            /** @description What the next page is asked with as `cursor`; null if this is the last one. */
            next?: string | null;
        };
        /** @description A model with what a proof of it takes. */
        LoadedModel: components["schemas"]["ModelInfo"] & {
            /** @description Columns of its table. */
            columns: number;
            /**
             * Format: int64
             * @description Bytes of memory that its keys take.
             */
            key_bytes: number;
            /**
             * Format: int64
             * @description Bytes of memory that one proof takes on top of that, predicted.
             */
            memory_bytes: number;
            /** @description Rows of its table in use. */
            rows: number;
        };
        /** @description What the network read in a bulletin. */
        MarketAnswer: {
            /**
             * Format: int32
             * @description The class.
             */
            class: number;
            /**
             * Format: int64
             * @description How far it is ahead of the next class, as the model's integer.
             */
            margin: number;
            /** @description Its name, where the model's folder has one. */
            name?: string | null;
        };
        /** @description A transaction that carried a proof. */
        MarketProof: {
            /**
             * Format: int64
             * @description Its block.
             */
            block: number;
            /**
             * Format: int64
             * @description Gas that it used; null if the node doesn't say.
             */
            gas_used?: number | null;
            /** @description Who sent it. */
            submitter: string;
            /** @description Its hash. */
            tx: string;
        };
        /**
         * @description Where a market stands.
         * @enum {string}
         */
        MarketState: "open" | "closed" | "decided" | "undecided";
        /** @description A market. */
        MarketView: {
            answer?: null | components["schemas"]["MarketAnswer"];
            bulletin?: null | components["schemas"]["BulletinView"];
            /**
             * Format: int64
             * @description Chain id.
             */
            chain_id: number;
            /**
             * Format: int64
             * @description Unix time from which bets are refused and bulletins count.
             */
            close: number;
            /** @description The contract of markets. */
            contract: string;
            /**
             * Format: int64
             * @description The last Unix time at which it can be decided.
             */
            deadline: number;
            /** @description The publisher's feed. */
            feed_id: string;
            /** @description Its number in the contract. */
            id: string;
            /**
             * Format: int32
             * @description The least margin that decides, as the model's integer.
             */
            min_margin: number;
            /** @description The model that reads the bulletin. */
            model_id: string;
            /**
             * Format: int32
             * @description The class that decides nothing, if there is one.
             */
            no_result?: number | null;
            /** @description The classes on which can be bet, in the model's order. */
            outcomes: components["schemas"]["OutcomeView"][];
            progress?: null | components["schemas"]["Progress"];
            proof?: null | components["schemas"]["MarketProof"];
            /** @description Who signs the bulletin that decides it. */
            publisher: string;
            /** @description What is asked, in words. */
            question: string;
            /** @description Whether everybody gets their bets back. */
            refunds: boolean;
            /**
             * Format: int64
             * @description The bulletin's number in the feed.
             */
            sequence: number;
            /** @description Where it stands by the chain's newest block. */
            state: components["schemas"]["MarketState"];
            /** @description What was bet on all of them, in wei. */
            total: string;
            /** @description The contract that checks proofs. */
            verifier: string;
        };
        /** @description A model. */
        ModelInfo: {
            /**
             * Format: int32
             * @description Its measured strength, for chess.
             */
            elo?: number | null;
            /**
             * Format: int64
             * @description Gas of a transaction that verifies a proof, predicted.
             */
            gas?: number | null;
            /** @description What it is for: `chess`, or `net` for a general network. */
            kind: string;
            /**
             * Format: int64
             * @description Multiply-accumulates of one run.
             */
            macs?: number | null;
            /** @description What contracts pin. */
            model_id: string;
            /** @description Its name. */
            name: string;
            /**
             * Format: double
             * @description Seconds that its proofs took here, on average of the newest; null before the first.
             */
            prove_s?: number | null;
        };
        /** @description The proof of an NPC's move, as its transaction holds it. */
        MoveProof: {
            /**
             * Format: int64
             * @description Its block.
             */
            block: number;
            /** @description Call data of `verifyProof(proof, instances)`, for an `eth_call` of the verifier. */
            calldata: string;
            /**
             * Format: int64
             * @description Gas that the transaction used.
             */
            gas_used: number;
            /** @description The public instances: request (2), ranking, board (2), rights (2); 32 bytes each. */
            instances: string[];
            /** @description The model. */
            model_id: string;
            /** @description The proof. */
            proof: string;
            /** @description The ranked moves, best first. */
            ranking: components["schemas"]["RankedMove"][];
            /** @description Who sent it: the proof is bound to this address. */
            submitter: string;
            /** @description The transaction. */
            tx: string;
            /** @description The verifier contract. */
            verifier: string;
        };
        /** @description A half-move. */
        MoveView: {
            /**
             * Format: int64
             * @description Unix time of its block.
             */
            at: number;
            /**
             * Format: int64
             * @description The block that it is in.
             */
            block: number;
            /** @description Who made it. */
            by: components["schemas"]["Mover"];
            /**
             * Format: int64
             * @description Its number, from 0.
             */
            ply: number;
            /**
             * Format: int64
             * @description Of an NPC's move: its place in the proven ranking, 0 for the best.
             */
            rank?: number | null;
            /** @description Its transaction. */
            tx: string;
            /** @description The move, as UCI writes it. */
            uci: string;
        };
        /**
         * @description Who made a move.
         * @enum {string}
         */
        Mover: "human" | "npc";
        /** @description An offer of games against a model. */
        OfferView: {
            /** @description Who offers. */
            host: string;
            /**
             * Format: int64
             * @description Games that may run at a time.
             */
            max_games: number;
            /** @description The model that plays. */
            model_id: string;
            /**
             * Format: int64
             * @description Seconds for each move.
             */
            move_time_s: number;
            /** @description Its number. */
            offer_id: string;
            /** @description Whether it can be taken up. */
            open: boolean;
            /**
             * Format: int64
             * @description Games that run.
             */
            running: number;
            /** @description Whether this daemon plays the NPC of its games. */
            served: boolean;
            /** @description Wei that each side stakes. */
            stake: string;
            /** @description The verifier contract. */
            verifier: string;
        };
        /** @description A class on which can be bet. */
        OutcomeView: {
            /**
             * Format: int32
             * @description The model's class.
             */
            class: number;
            /** @description Its name, where the model's folder has one. */
            name?: string | null;
            /** @description What was bet on it, in wei. */
            pool: string;
        };
        /**
         * @description Where a job stands.
         * @enum {string}
         */
        Phase: "seen" | "proving" | "proved" | "submitted" | "included" | "final" | "failed" | "moot" | "forfeited";
        /** @description What went wrong, as RFC 9457 has it. */
        Problem: {
            /** @description The stable code, such as `ZZ-809`. */
            code: string;
            /** @description What, where, what to do. */
            detail: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The HTTP status in words. */
            title: string;
            /** @description The page of the code: causes, and what to do. */
            type: string;
        };
        /** @description How a job is getting on. */
        Progress: {
            /**
             * Format: double
             * @description How much of the proof is done, from 0 to 1, by what its steps usually take.
             */
            fraction: number;
            /**
             * Format: int64
             * @description The job's row.
             */
            job: number;
            /** @description Why it stands so, where that needs words. */
            note?: string | null;
            /** @description Where it stands. */
            phase: components["schemas"]["Phase"];
            /**
             * Format: int64
             * @description Which question about its subject: a ply, a round.
             */
            round: number;
            /** @description The step of the proof in the making, in words. */
            step?: string | null;
            /** @description When it came to what. */
            times: components["schemas"]["Times"];
            /** @description Hash of the newest version of its transaction. */
            tx?: string | null;
        };
        /** @description A value of a population, at or below which a share of it lies. */
        Quantile: {
            /**
             * Format: double
             * @description The share, from 0 to 1.
             */
            q: number;
            /**
             * Format: double
             * @description The value.
             */
            value: number;
        };
        /** @description A move of a ranking. */
        RankedMove: {
            /**
             * Format: int64
             * @description Its number among the network's outputs.
             */
            index: number;
            /** @description Whether it is legal: the first one that is, is played. */
            legal: boolean;
            /**
             * Format: int64
             * @description Its place, 0 for the best.
             */
            place: number;
            /** @description The move, as UCI writes it; null for one that isn't legal. */
            uci?: string | null;
        };
        /** @description Which block is read again. */
        Replay: {
            /**
             * Format: int64
             * @description Its height.
             */
            block: number;
            /** @description Only say what its logs ask. */
            dry_run?: boolean;
        };
        /** @description One series. */
        Series: {
            /** @description Its labels. */
            labels: {
                [key: string]: string;
            };
            /** @description Its name; of a histogram's series with `_bucket`, `_sum` or `_count`. */
            name: string;
            /**
             * Format: double
             * @description Its value; null for what is no number.
             */
            value?: number | null;
        };
        /** @description What `zugzwang status` shows of one chain. */
        Status: {
            /** @description Alerts that are open. */
            alerts: string[];
            /**
             * Format: int64
             * @description Unix milliseconds of its last sign of life in the store.
             */
            alive_at?: number | null;
            /** @description Each app's name and contract. */
            apps: string[];
            /** @description What it has, in ether. */
            balance_ether?: string | null;
            /**
             * Format: int64
             * @description Chain id.
             */
            chain_id: number;
            /**
             * Format: int64
             * @description The last block whose events are stored.
             */
            cursor?: number | null;
            /**
             * Format: int64
             * @description The node's newest block.
             */
            head?: number | null;
            /** @description Jobs by state. */
            jobs: {
                [key: string]: number;
            };
            /** @description Whether it does its work. */
            ready: boolean;
            /** @description Whether a daemon runs. */
            running: boolean;
            /** @description The signing address. */
            signer?: string | null;
            /**
             * Format: int64
             * @description Unix milliseconds of its start.
             */
            started_at?: number | null;
            /** @description Transactions by state. */
            transactions: {
                [key: string]: number;
            };
            /** @description Why not. */
            why: string[];
        };
        /** @description What is behind a move. */
        TallyView: {
            /** @description The move, as UCI writes it. */
            uci: string;
            /**
             * Format: int64
             * @description How many accounts staked on it.
             */
            voters: number;
            /** @description Wei that were staked on it. */
            weight: string;
        };
        /** @description When a job came to what, in Unix milliseconds; null where it didn't, or where that was before a restart. */
        Times: {
            /**
             * Format: int64
             * @description It was final.
             */
            final_ms?: number | null;
            /**
             * Format: int64
             * @description It was in a block.
             */
            included_ms?: number | null;
            /**
             * Format: int64
             * @description The network had run.
             */
            inferred_ms?: number | null;
            /**
             * Format: int64
             * @description The proof was stored.
             */
            proved_ms?: number | null;
            /**
             * Format: int64
             * @description The question was stored.
             */
            seen_ms?: number | null;
            /**
             * Format: int64
             * @description The transaction was signed and stored.
             */
            submitted_ms?: number | null;
        };
        /** @description A transaction. */
        TxView: {
            /**
             * Format: int64
             * @description The block that it is in.
             */
            block?: number | null;
            /**
             * Format: int64
             * @description Gas that it used.
             */
            gas_used?: number | null;
            /** @description Hash of the newest version. */
            hash?: string | null;
            /**
             * Format: int64
             * @description Its row, by which commands name it.
             */
            id: number;
            /**
             * Format: int64
             * @description The job that it answers.
             */
            job?: number | null;
            /** @description Highest fee per gas of the newest version, in wei. */
            max_fee?: string | null;
            /** @description Its tip per gas, in wei. */
            max_priority?: string | null;
            /**
             * Format: int64
             * @description Its nonce.
             */
            nonce: number;
            /** @description Whether it succeeded there. */
            ok?: boolean | null;
            /** @description What it is for, in words. */
            purpose: string;
            /**
             * Format: int64
             * @description When the newest version was signed, unix milliseconds.
             */
            signed_at?: number | null;
            /** @description Whose nonce it has; null where it is shown with its job. */
            signer?: string | null;
            /** @description Where it stands. */
            state: string;
            /** @description Signed versions. */
            versions: number;
            /** @description What the operator wants done with it at the next turn. */
            wanted?: string | null;
        };
        /**
         * @description What the model's score meant.
         * @enum {string}
         */
        Verdict: "pending" | "released" | "held" | "waits";
        /** @description A voting window. */
        WindowView: {
            /**
             * Format: int64
             * @description Unix time of its last second, as it is now.
             */
            closes: number;
            /**
             * Format: int64
             * @description Unix time past which its end can't be put off.
             */
            latest: number;
            /**
             * Format: int64
             * @description Unix time at which it opened.
             */
            opens: number;
            /**
             * Format: int64
             * @description The half-move that is voted on.
             */
            round: number;
        };
        /** @description A worker of the fleet. */
        WorkerView: {
            /** @description Proofs that it makes now. */
            busy: number;
            /** @description Its machine's cores. */
            cores: number;
            /** @description The models that it has loaded. */
            models: string[];
            /** @description The release that it runs. */
            release: string;
            /** @description Proofs that it makes at the same time. */
            slots: number;
            /** @description Its id. */
            worker: string;
        };
        /** @description A game of the World, without its moves. The World is the human side. */
        WorldSummary: {
            /** @description The arena. */
            arena: string;
            /**
             * Format: int64
             * @description The arena's chain.
             */
            chain_id: number;
            /**
             * Format: int64
             * @description Unix time of the last second of the side to move; means nothing once the game is over.
             */
            deadline: number;
            /** @description The position. */
            fen: string;
            /** @description Who opened the game. */
            host: string;
            /** @description The World's colour. */
            human_is_white: boolean;
            /** @description Whose turn it is. */
            human_to_move: boolean;
            /** @description Its number. */
            id: string;
            /** @description Wei that were staked on them. */
            in_play: string;
            /**
             * Format: int64
             * @description Seconds that a change of the leader leaves at least, but for the window's latest end.
             */
            last_call_s: number;
            /** @description The least that a vote must bring, in wei. */
            least_stake: string;
            /** @description The model that plays. */
            model_id: string;
            /**
             * Format: int64
             * @description Seconds for each move of the NPC.
             */
            move_time_s: number;
            /** @description Who won: `human` for the World, `npc`, `draw`; null while it runs. */
            outcome?: string | null;
            /**
             * Format: int64
             * @description Half-moves played.
             */
            ply: number;
            /** @description Wei that the host put up. */
            pot: string;
            /** @description How it ended, as of games of chess; null while it runs. */
            reason?: string | null;
            /**
             * Format: int64
             * @description How many moves the World has played: each has an equal part of the pot, if it wins.
             */
            rounds: number;
            /** @description The verifier contract. */
            verifier: string;
            /**
             * Format: int64
             * @description Seconds of a window, unless its end is put off.
             */
            window_s: number;
        };
        /** @description A game with its moves and votes. */
        WorldView: components["schemas"]["WorldSummary"] & {
            /** @description Its moves, in order. */
            moves: components["schemas"]["MoveView"][];
            npc?: null | components["schemas"]["Progress"];
            /** @description What is behind the moves of this window, the leader first. */
            votes: components["schemas"]["TallyView"][];
            window?: null | components["schemas"]["WindowView"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    games: {
        parameters: {
            query?: {
                /** @description `running` if left out. */
                state?: "running" | "over" | "all";
                /** @description `next` of the page before; none for the first page. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. A page may hold fewer, though there are more. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_GameSummary"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    game: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The game's number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GameView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    proof: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The game's number */
                id: number;
                /** @description The half-move's number, from 0 */
                ply: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MoveProof"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The game's number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-Sent Events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    guards: {
        parameters: {
            query?: {
                /** @description `next` of the page before; none for the first page. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_GuardView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    guard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The vault's address */
                vault: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GuardView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    incidents: {
        parameters: {
            query?: {
                /** @description `next` of the page before; none for the first page. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The vault's address */
                vault: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_IncidentView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    incident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The vault's address */
                vault: string;
                /** @description The incident's number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    guard_stream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The vault's address */
                vault: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-Sent Events `guard` and `incident` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["GuardView"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    markets: {
        parameters: {
            query?: {
                /** @description The contract of markets; the daemon's first if left out. */
                contract?: string;
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_MarketView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    market: {
        parameters: {
            query?: {
                /** @description The contract of markets; the daemon's first if left out. */
                contract?: string;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The market's number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MarketView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    market_stream: {
        parameters: {
            query?: {
                /** @description The contract of markets; the daemon's first if left out. */
                contract?: string;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The market's number */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-Sent Events `market` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["MarketView"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    offers: {
        parameters: {
            query?: {
                /** @description `next` of the page before; none for the first page. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_OfferView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    worlds: {
        parameters: {
            query?: {
                /** @description `next` of the page before; none for the first page. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_WorldSummary"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    world: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The game's number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorldView"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    world_proof: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The game's number */
                id: number;
                /** @description The half-move's number, from 0 */
                ply: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MoveProof"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow_world: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chain id */
                chain: number;
                /** @description The game's number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-Sent Events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    info: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Info"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    alerts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AlertView"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endpoints: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_EndpointView"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-Sent Events, until the daemon stops */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
                /** @description A state; `live` for those that are open or need a person, which is what is listed if left out; or `all`. */
                state?: string;
                /** @description Of this app only. */
                app?: string;
                /** @description About this subject only. */
                subject?: string;
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. */
                limit?: number;
                /** @description `csv` for all rows as a file. */
                format?: "json" | "csv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_JobView"];
                    "text/csv": string;
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    job: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
            };
            header?: never;
            path: {
                /** @description The job's row */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetail"];
                };
            };
            /** @description Unchanged */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drop_job: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
            };
            header?: never;
            path: {
                /** @description The job's row */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is at an end, or in a block */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
            };
            header?: never;
            path: {
                /** @description The job's row */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is open, or has its answer */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_KeyView"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Series"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_LoadedModel"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Replay"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The daemon hasn't read so far */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Status"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    transactions: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
                /** @description All of them, not only those that aren't at an end. */
                all?: boolean;
                /** @description In this state only. */
                state?: string;
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Most rows of the page; 50 if left out. */
                limit?: number;
                /** @description `csv` for all rows as a file. */
                format?: "json" | "csv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_TxView"];
                    "text/csv": string;
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bump: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
            };
            header?: never;
            path: {
                /** @description The transaction's row */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is in a block, or lost */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel: {
        parameters: {
            query?: {
                /** @description The chain's id; needed where the process serves several. */
                chain?: number;
            };
            header?: never;
            path: {
                /** @description The transaction's row */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is in a block, or lost */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    workers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_WorkerView"];
                };
            };
            /** @description It can't be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No token, or another one. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It isn't there, or isn't public. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests, or too many streams. */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service, its node or its store isn't ready. */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
