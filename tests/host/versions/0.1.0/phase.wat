(component
  (type $ty-lockgate:plugin/types@0.1.0 (;0;)
    (instance
      (type (;0;) (enum "never" "same-key"))
      (export (;1;) "retry" (type (eq 0)))
      (type (;2;) string)
      (export (;3;) "json" (type (eq 2)))
      (type (;4;) (record (field "code" string) (field "message" string) (field "retry" 1) (field "retry-after-ms" u32) (field "details" 3)))
      (export (;5;) "failure" (type (eq 4)))
      (type (;6;) (enum "debug" "info" "warn" "error"))
      (export (;7;) "level" (type (eq 6)))
      (type (;8;) (record (field "key" string) (field "value" string)))
      (export (;9;) "field" (type (eq 8)))
      (type (;10;) (list 9))
      (type (;11;) (record (field "project" string) (field "environment" string) (field "deployment" string) (field "attempt" u32) (field "name" string) (field "sequence" u32) (field "idempotency-key" string) (field "trace-parent" string) (field "extra" 10)))
      (export (;12;) "call" (type (eq 11)))
      (type (;13;) (record (field "name" string) (field "uri" string) (field "digest" string) (field "media-type" string) (field "build-id" string) (field "stack" string) (field "application" string) (field "metadata" 10)))
      (export (;14;) "artifact" (type (eq 13)))
      (type (;15;) (record (field "name" string) (field "version" string) (field "summary" string) (field "config-schema" 3) (field "requests" 3) (field "extra" 10)))
      (export (;16;) "description" (type (eq 15)))
      (type (;17;) (record (field "path" string) (field "message" string)))
      (export (;18;) "issue" (type (eq 17)))
    )
  )
  (import "lockgate:plugin/types@0.1.0" (instance $lockgate:plugin/types@0.1.0 (;0;) (type $ty-lockgate:plugin/types@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "level" (type $level (;1;)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $field (;2;)))
  (type $ty-lockgate:plugin/log@0.1.0 (;3;)
    (instance
      (alias outer 1 $level (type (;0;)))
      (export (;1;) "level" (type (eq 0)))
      (alias outer 1 $field (type (;2;)))
      (export (;3;) "field" (type (eq 2)))
      (type (;4;) (list 3))
      (type (;5;) (func (param "level" 1) (param "message" string) (param "fields" 4)))
      (export (;0;) "emit" (func (type 5)))
    )
  )
  (import "lockgate:plugin/log@0.1.0" (instance $lockgate:plugin/log@0.1.0 (;1;) (type $ty-lockgate:plugin/log@0.1.0)))
  (type $ty-lockgate:plugin/progress@0.1.0 (;4;)
    (instance
      (type (;0;) (func (param "percent" u32) (param "message" string)))
      (export (;0;) "report" (func (type 0)))
    )
  )
  (import "lockgate:plugin/progress@0.1.0" (instance $lockgate:plugin/progress@0.1.0 (;2;) (type $ty-lockgate:plugin/progress@0.1.0)))
  (type $ty-lockgate:plugin/control@0.1.0 (;5;)
    (instance
      (type (;0;) (func (result bool)))
      (export (;0;) "is-cancelled" (func (type 0)))
      (type (;1;) (func (result u32)))
      (export (;1;) "remaining-ms" (func (type 1)))
      (type (;2;) (func (param "ms" u32) (result bool)))
      (export (;2;) "wait" (func (type 2)))
    )
  )
  (import "lockgate:plugin/control@0.1.0" (instance $lockgate:plugin/control@0.1.0 (;3;) (type $ty-lockgate:plugin/control@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $failure (;6;)))
  (type $ty-lockgate:plugin/secrets@0.1.0 (;7;)
    (instance
      (alias outer 1 $failure (type (;0;)))
      (export (;1;) "failure" (type (eq 0)))
      (type (;2;) (result string (error 1)))
      (type (;3;) (func (param "name" string) (result 2)))
      (export (;0;) "token" (func (type 3)))
    )
  )
  (import "lockgate:plugin/secrets@0.1.0" (instance $lockgate:plugin/secrets@0.1.0 (;4;) (type $ty-lockgate:plugin/secrets@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type8 failure" (@name "failure") (;8;)))
  (type $ty-lockgate:plugin/state@0.1.0 (;9;)
    (instance
      (type (;0;) (list u8))
      (type (;1;) (record (field "value" 0) (field "version" u32)))
      (export (;2;) "entry" (type (eq 1)))
      (alias outer 1 $"#type8 failure" (type (;3;)))
      (export (;4;) "failure" (type (eq 3)))
      (type (;5;) (list 2))
      (type (;6;) (result 5 (error 4)))
      (type (;7;) (func (param "key" string) (result 6)))
      (export (;0;) "get" (func (type 7)))
      (type (;8;) (result u32 (error 4)))
      (type (;9;) (func (param "key" string) (param "value" 0) (param "expect" u32) (result 8)))
      (export (;1;) "put" (func (type 9)))
    )
  )
  (import "lockgate:plugin/state@0.1.0" (instance $lockgate:plugin/state@0.1.0 (;5;) (type $ty-lockgate:plugin/state@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type10 failure" (@name "failure") (;10;)))
  (type $ty-lockgate:plugin/artifacts@0.1.0 (;11;)
    (instance
      (export (;0;) "reader" (type (sub resource)))
      (alias outer 1 $"#type10 failure" (type (;1;)))
      (export (;2;) "failure" (type (eq 1)))
      (type (;3;) (borrow 0))
      (type (;4;) (list u8))
      (type (;5;) (result 4 (error 2)))
      (type (;6;) (func (param "self" 3) (param "max" u32) (result 5)))
      (export (;0;) "[method]reader.read" (func (type 6)))
      (type (;7;) (own 0))
      (type (;8;) (result 7 (error 2)))
      (type (;9;) (func (param "digest" string) (result 8)))
      (export (;1;) "open" (func (type 9)))
    )
  )
  (import "lockgate:plugin/artifacts@0.1.0" (instance $lockgate:plugin/artifacts@0.1.0 (;6;) (type $ty-lockgate:plugin/artifacts@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type12 failure" (@name "failure") (;12;)))
  (type $ty-lockgate:plugin/artifacts-write@0.1.0 (;13;)
    (instance
      (export (;0;) "writer" (type (sub resource)))
      (alias outer 1 $"#type12 failure" (type (;1;)))
      (export (;2;) "failure" (type (eq 1)))
      (type (;3;) (own 0))
      (type (;4;) (result 3 (error 2)))
      (type (;5;) (func (param "name" string) (result 4)))
      (export (;0;) "create" (func (type 5)))
    )
  )
  (import "lockgate:plugin/artifacts-write@0.1.0" (instance $lockgate:plugin/artifacts-write@0.1.0 (;7;) (type $ty-lockgate:plugin/artifacts-write@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $"#type14 field" (@name "field") (;14;)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type15 failure" (@name "failure") (;15;)))
  (type $ty-lockgate:plugin/http@0.1.0 (;16;)
    (instance
      (alias outer 1 $"#type14 field" (type (;0;)))
      (export (;1;) "field" (type (eq 0)))
      (type (;2;) (list 1))
      (type (;3;) (list u8))
      (type (;4;) (record (field "method" string) (field "url" string) (field "headers" 2) (field "body" 3) (field "timeout-ms" u32)))
      (export (;5;) "request" (type (eq 4)))
      (type (;6;) (record (field "status" u32) (field "headers" 2) (field "body" 3) (field "truncated" bool)))
      (export (;7;) "response" (type (eq 6)))
      (alias outer 1 $"#type15 failure" (type (;8;)))
      (export (;9;) "failure" (type (eq 8)))
      (type (;10;) (result 7 (error 9)))
      (type (;11;) (func (param "r" 5) (result 10)))
      (export (;0;) "send" (func (type 11)))
    )
  )
  (import "lockgate:plugin/http@0.1.0" (instance $lockgate:plugin/http@0.1.0 (;8;) (type $ty-lockgate:plugin/http@0.1.0)))
  (core module $main (;0;)
    (type (;0;) (func (param i32)))
    (type (;1;) (func (param i32 i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32)))
    (type (;3;) (func (result i32)))
    (type (;4;) (func (param i32) (result i32)))
    (type (;5;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;6;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (type (;7;) (func))
    (type (;8;) (func (param i32 i32 i32 i32) (result i32)))
    (type (;9;) (func (param i32 i32)))
    (type (;10;) (func (param i32 i32 i32 i32)))
    (type (;11;) (func (param i32 i32) (result i32)))
    (type (;12;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
    (type (;13;) (func (param i32 i32 i32) (result i32)))
    (type (;14;) (func (param i32 i32 i32 i32 i32) (result i32)))
    (import "lockgate:plugin/artifacts@0.1.0" "[resource-drop]reader" (func (;0;) (type 0)))
    (import "lockgate:plugin/log@0.1.0" "emit" (func (;1;) (type 1)))
    (import "lockgate:plugin/progress@0.1.0" "report" (func (;2;) (type 2)))
    (import "lockgate:plugin/control@0.1.0" "is-cancelled" (func (;3;) (type 3)))
    (import "lockgate:plugin/control@0.1.0" "remaining-ms" (func (;4;) (type 3)))
    (import "lockgate:plugin/control@0.1.0" "wait" (func (;5;) (type 4)))
    (import "lockgate:plugin/secrets@0.1.0" "token" (func (;6;) (type 2)))
    (import "lockgate:plugin/state@0.1.0" "get" (func (;7;) (type 2)))
    (import "lockgate:plugin/state@0.1.0" "put" (func (;8;) (type 5)))
    (import "lockgate:plugin/artifacts@0.1.0" "[method]reader.read" (func (;9;) (type 2)))
    (import "lockgate:plugin/artifacts@0.1.0" "open" (func (;10;) (type 2)))
    (import "lockgate:plugin/artifacts-write@0.1.0" "create" (func (;11;) (type 2)))
    (import "lockgate:plugin/http@0.1.0" "send" (func (;12;) (type 6)))
    (table (;0;) 1 1 funcref)
    (memory (;0;) 17)
    (global (;0;) (mut i32) i32.const 1048576)
    (export "memory" (memory 0))
    (export "_initialize" (func 14))
    (export "cabi_post_lockgate:phase/phase@0.1.0#describe" (func 44))
    (export "cabi_post_lockgate:phase/phase@0.1.0#validate" (func 45))
    (export "cabi_post_lockgate:phase/phase@0.1.0#advance" (func 46))
    (export "cabi_post_lockgate:phase/phase@0.1.0#cancel" (func 47))
    (export "cabi_realloc" (func 48))
    (export "lockgate:phase/phase@0.1.0#describe" (func 63))
    (export "lockgate:phase/phase@0.1.0#validate" (func 64))
    (export "lockgate:phase/phase@0.1.0#advance" (func 65))
    (export "lockgate:phase/phase@0.1.0#cancel" (func 66))
    (func (;13;) (type 7))
    (func (;14;) (type 7)
      block ;; label = @1
        i32.const 0
        i32.load offset=1049136
        i32.eqz
        br_if 0 (;@1;)
        unreachable
      end
      i32.const 0
      i32.const 1
      i32.store offset=1049136
      call 13
    )
    (func (;15;) (type 7))
    (func (;16;) (type 8) (param i32 i32 i32 i32) (result i32)
      (local i32 i32 i32 i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 4
      global.set 0
      block ;; label = @1
        block ;; label = @2
          local.get 1
          local.get 3
          i32.ne
          br_if 0 (;@2;)
          block ;; label = @3
            local.get 0
            local.get 2
            i32.ne
            br_if 0 (;@3;)
            i32.const 1
            local.set 3
            br 2 (;@1;)
          end
          block ;; label = @3
            block ;; label = @4
              local.get 1
              i32.const 16
              i32.gt_u
              br_if 0 (;@4;)
              block ;; label = @5
                local.get 1
                i32.const 4
                i32.ge_u
                br_if 0 (;@5;)
                local.get 0
                i32.load8_u
                local.get 2
                i32.load8_u
                i32.eq
                local.get 0
                local.get 1
                i32.const -1
                i32.add
                local.tee 3
                i32.add
                i32.load8_u
                local.get 2
                local.get 3
                i32.add
                i32.load8_u
                i32.eq
                i32.and
                local.get 0
                i32.load8_u offset=1
                local.get 2
                i32.load8_u offset=1
                i32.eq
                i32.and
                local.set 3
                br 4 (;@1;)
              end
              i32.const 0
              local.set 5
              local.get 4
              i32.const 0
              i32.store offset=8
              local.get 4
              local.get 1
              i32.const -4
              i32.add
              local.tee 3
              i32.store offset=12
              local.get 4
              local.get 1
              i32.const 1
              i32.shr_u
              i32.const 12
              i32.and
              local.tee 6
              i32.store offset=16
              local.get 4
              local.get 3
              local.get 6
              i32.sub
              i32.store offset=20
              i32.const 0
              local.set 1
              loop ;; label = @5
                local.get 5
                i32.const 4
                i32.eq
                br_if 2 (;@3;)
                local.get 4
                local.get 0
                local.get 4
                i32.const 8
                i32.add
                local.get 5
                i32.const 2
                i32.shl
                i32.add
                i32.load
                local.tee 7
                i32.add
                i32.load align=1
                i32.store offset=24
                i32.const 3
                local.set 3
                i32.const 0
                local.set 6
                loop ;; label = @6
                  local.get 6
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 24
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 6
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 4
                local.get 2
                local.get 7
                i32.add
                i32.load align=1
                i32.store offset=28
                i32.const 3
                local.set 3
                i32.const 0
                local.set 7
                loop ;; label = @6
                  local.get 7
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 28
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 7
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 5
                i32.const 1
                i32.add
                local.set 5
                local.get 7
                local.get 6
                i32.xor
                local.get 1
                i32.or
                local.set 1
                br 0 (;@5;)
              end
            end
            local.get 1
            i32.const -1
            i32.add
            i32.const 2
            i32.shr_u
            local.set 8
            i32.const 0
            local.set 5
            block ;; label = @4
              loop ;; label = @5
                local.get 5
                local.get 8
                i32.eq
                br_if 1 (;@4;)
                local.get 4
                local.get 0
                local.get 5
                i32.const 2
                i32.shl
                local.tee 7
                i32.add
                i32.load align=1
                i32.store offset=32
                i32.const 3
                local.set 3
                i32.const 0
                local.set 6
                loop ;; label = @6
                  local.get 6
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 32
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 6
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 4
                local.get 2
                local.get 7
                i32.add
                i32.load align=1
                i32.store offset=36
                i32.const 3
                local.set 3
                i32.const 0
                local.set 7
                loop ;; label = @6
                  local.get 7
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 36
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 7
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 5
                i32.const 1
                i32.add
                local.set 5
                local.get 6
                local.get 7
                i32.ne
                br_if 3 (;@2;)
                br 0 (;@5;)
              end
            end
            local.get 4
            local.get 0
            local.get 1
            i32.const -4
            i32.add
            local.tee 7
            i32.add
            i32.load align=1
            i32.store offset=40
            i32.const 0
            local.set 6
            i32.const 3
            local.set 3
            loop ;; label = @4
              local.get 6
              i32.const 8
              i32.shl
              local.get 4
              i32.const 40
              i32.add
              local.get 3
              i32.add
              i32.load8_u
              i32.or
              local.set 6
              local.get 3
              i32.const -1
              i32.add
              local.tee 3
              i32.const -1
              i32.ne
              br_if 0 (;@4;)
            end
            local.get 4
            local.get 2
            local.get 7
            i32.add
            i32.load align=1
            i32.store offset=44
            i32.const 0
            local.set 7
            i32.const 3
            local.set 3
            loop ;; label = @4
              local.get 7
              i32.const 8
              i32.shl
              local.get 4
              i32.const 44
              i32.add
              local.get 3
              i32.add
              i32.load8_u
              i32.or
              local.set 7
              local.get 3
              i32.const -1
              i32.add
              local.tee 3
              i32.const -1
              i32.ne
              br_if 0 (;@4;)
            end
            local.get 6
            local.get 7
            i32.eq
            local.set 3
            br 2 (;@1;)
          end
          local.get 1
          i32.eqz
          local.set 3
          br 1 (;@1;)
        end
        i32.const 0
        local.set 3
      end
      local.get 4
      i32.const 48
      i32.add
      global.set 0
      local.get 3
    )
    (func (;17;) (type 2) (param i32 i32 i32)
      (local i32)
      i32.const 0
      local.set 3
      loop ;; label = @1
        block ;; label = @2
          local.get 3
          i32.const 1024
          i32.ne
          br_if 0 (;@2;)
          local.get 1
          i32.const -1
          i32.add
          local.set 3
          block ;; label = @3
            loop ;; label = @4
              local.get 3
              i32.eqz
              br_if 1 (;@3;)
              local.get 2
              local.get 0
              i32.load8_u
              i32.const 2
              i32.shl
              i32.add
              local.get 3
              i32.store
              local.get 3
              i32.const -1
              i32.add
              local.set 3
              local.get 0
              i32.const 1
              i32.add
              local.set 0
              br 0 (;@4;)
            end
          end
          return
        end
        local.get 2
        local.get 3
        i32.add
        local.get 1
        i32.store
        local.get 3
        i32.const 4
        i32.add
        local.set 3
        br 0 (;@1;)
      end
    )
    (func (;18;) (type 9) (param i32 i32)
      local.get 0
      local.get 1
      call 21
      i32.store offset=4
      local.get 0
      local.get 1
      i32.store
    )
    (func (;19;) (type 10) (param i32 i32 i32 i32)
      (local i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 4
      global.set 0
      local.get 4
      i32.const 8
      i32.add
      local.get 1
      local.get 2
      local.get 3
      call 20
      local.get 0
      local.get 4
      i64.load offset=8
      i64.store align=4
      local.get 4
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;20;) (type 10) (param i32 i32 i32 i32)
      (local i32)
      block ;; label = @1
        block ;; label = @2
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          i32.const 0
          local.set 4
          local.get 3
          i32.const 255
          i32.and
          local.set 3
          loop ;; label = @3
            local.get 2
            local.get 4
            i32.eq
            br_if 2 (;@1;)
            block ;; label = @4
              local.get 1
              local.get 4
              i32.add
              i32.load8_u
              local.get 3
              i32.ne
              br_if 0 (;@4;)
              local.get 0
              i32.const 1
              i32.store8 offset=4
              local.get 0
              local.get 4
              i32.store
              return
            end
            local.get 4
            i32.const 1
            i32.add
            local.set 4
            br 0 (;@3;)
          end
        end
        local.get 0
        i64.const 0
        i64.store align=4
        return
      end
      local.get 0
      i64.const 0
      i64.store align=4
    )
    (func (;21;) (type 4) (param i32) (result i32)
      (local i32 i32 i32)
      i32.const 0
      local.set 1
      loop ;; label = @1
        local.get 0
        local.get 1
        i32.add
        local.set 2
        local.get 1
        i32.const 1
        i32.add
        local.tee 3
        local.set 1
        local.get 2
        i32.load8_u
        br_if 0 (;@1;)
      end
      local.get 3
      i32.const -1
      i32.add
    )
    (func (;22;) (type 1) (param i32 i32 i32 i32 i32)
      (local i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 5
      global.set 0
      local.get 5
      i32.const 8
      i32.add
      local.get 1
      local.get 2
      i32.const 0
      local.get 3
      local.get 4
      call 23
      local.get 0
      local.get 5
      i64.load offset=8
      i64.store align=4
      local.get 5
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;23;) (type 5) (param i32 i32 i32 i32 i32 i32)
      (local i32 i32 i32 i32 i32)
      block ;; label = @1
        local.get 2
        local.get 3
        i32.gt_u
        br_if 0 (;@1;)
        local.get 0
        i64.const 0
        i64.store align=4
        return
      end
      local.get 2
      local.get 3
      i32.sub
      local.set 6
      local.get 1
      local.get 3
      i32.add
      local.set 7
      i32.const 0
      local.set 8
      loop ;; label = @1
        block ;; label = @2
          block ;; label = @3
            local.get 8
            local.get 6
            i32.eq
            br_if 0 (;@3;)
            local.get 7
            local.get 8
            i32.add
            i32.load8_u
            i32.const 255
            i32.and
            local.set 9
            local.get 5
            local.set 2
            local.get 4
            local.set 1
            loop ;; label = @4
              local.get 2
              i32.eqz
              br_if 2 (;@2;)
              local.get 2
              i32.const -1
              i32.add
              local.set 2
              local.get 1
              i32.load8_u
              local.set 10
              local.get 1
              i32.const 1
              i32.add
              local.set 1
              local.get 9
              local.get 10
              i32.ne
              br_if 0 (;@4;)
            end
            local.get 0
            i32.const 1
            i32.store8 offset=4
            local.get 0
            local.get 8
            local.get 3
            i32.add
            i32.store
            return
          end
          local.get 0
          i64.const 0
          i64.store align=4
          return
        end
        local.get 8
        i32.const 1
        i32.add
        local.set 8
        br 0 (;@1;)
      end
    )
    (func (;24;) (type 1) (param i32 i32 i32 i32 i32)
      (local i32 i32 i64 i32 i64)
      global.get 0
      i32.const 1024
      i32.sub
      local.tee 5
      global.set 0
      i32.const 0
      local.set 6
      i64.const 0
      local.set 7
      block ;; label = @1
        local.get 2
        local.get 4
        i32.lt_u
        br_if 0 (;@1;)
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              block ;; label = @5
                local.get 4
                i32.const 1
                i32.gt_u
                br_if 0 (;@5;)
                local.get 4
                br_if 1 (;@4;)
                br 3 (;@2;)
              end
              block ;; label = @5
                block ;; label = @6
                  local.get 2
                  i32.const 52
                  i32.lt_u
                  br_if 0 (;@6;)
                  local.get 4
                  i32.const 5
                  i32.ge_u
                  br_if 1 (;@5;)
                end
                local.get 2
                local.get 4
                i32.sub
                local.set 2
                i32.const 0
                local.set 6
                loop ;; label = @6
                  local.get 6
                  local.get 2
                  i32.gt_u
                  br_if 3 (;@3;)
                  local.get 1
                  local.get 6
                  i32.add
                  local.get 4
                  local.get 3
                  local.get 4
                  call 16
                  i32.const 1
                  i32.and
                  br_if 4 (;@2;)
                  local.get 6
                  i32.const 1
                  i32.add
                  local.set 6
                  br 0 (;@6;)
                end
              end
              local.get 3
              local.get 4
              local.get 5
              call 17
              local.get 2
              local.get 4
              i32.sub
              local.set 8
              i32.const 0
              local.set 6
              loop ;; label = @5
                local.get 6
                local.get 8
                i32.gt_u
                br_if 2 (;@3;)
                local.get 1
                local.get 6
                i32.add
                local.tee 2
                local.get 4
                local.get 3
                local.get 4
                call 16
                i32.const 1
                i32.and
                br_if 3 (;@2;)
                local.get 5
                local.get 2
                local.get 4
                i32.add
                i32.const -1
                i32.add
                i32.load8_u
                i32.const 2
                i32.shl
                i32.add
                i32.load
                local.get 6
                i32.add
                local.set 6
                br 0 (;@5;)
              end
            end
            local.get 5
            local.get 1
            local.get 2
            local.get 3
            i32.load8_u
            call 20
            local.get 5
            i64.load
            local.tee 9
            i64.const -4294967296
            i64.and
            local.set 7
            local.get 9
            i32.wrap_i64
            local.set 6
            br 2 (;@1;)
          end
          i32.const 0
          local.set 6
          br 1 (;@1;)
        end
        i64.const 4294967296
        local.set 7
      end
      local.get 0
      local.get 7
      local.get 6
      i64.extend_i32_u
      i64.or
      i64.store align=4
      local.get 5
      i32.const 1024
      i32.add
      global.set 0
    )
    (func (;25;) (type 11) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 32
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      i32.const 16
      i32.add
      local.get 0
      call 18
      local.get 2
      i32.const 8
      i32.add
      local.get 1
      call 18
      local.get 2
      i32.const 24
      i32.add
      local.get 2
      i32.load offset=16
      local.get 2
      i32.load offset=20
      local.get 2
      i32.load offset=8
      local.get 2
      i32.load offset=12
      call 24
      local.get 2
      i32.load8_u offset=28
      local.set 1
      local.get 2
      i32.load offset=24
      local.set 3
      local.get 2
      i32.const 32
      i32.add
      global.set 0
      local.get 0
      local.get 3
      i32.add
      i32.const 0
      local.get 1
      i32.const 1
      i32.and
      select
    )
    (func (;26;) (type 11) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 32
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      i32.const 16
      i32.add
      local.get 0
      call 18
      local.get 2
      i32.const 8
      i32.add
      local.get 1
      call 18
      local.get 2
      i32.const 24
      i32.add
      local.get 2
      i32.load offset=16
      local.get 2
      i32.load offset=20
      local.tee 0
      local.get 2
      i32.load offset=8
      local.get 2
      i32.load offset=12
      call 22
      local.get 2
      i32.load8_u offset=28
      local.set 1
      local.get 2
      i32.load offset=24
      local.set 3
      local.get 2
      i32.const 32
      i32.add
      global.set 0
      local.get 3
      local.get 0
      local.get 1
      i32.const 1
      i32.and
      select
    )
    (func (;27;) (type 11) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 0
      call 21
      local.set 3
      block ;; label = @1
        block ;; label = @2
          local.get 1
          br_if 0 (;@2;)
          local.get 0
          local.get 3
          i32.add
          local.set 1
          br 1 (;@1;)
        end
        local.get 2
        i32.const 8
        i32.add
        local.get 0
        local.get 3
        local.get 1
        call 19
        i32.const 0
        local.set 1
        local.get 2
        i32.load8_u offset=12
        i32.const 1
        i32.and
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        local.get 2
        i32.load offset=8
        i32.add
        local.set 1
      end
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      local.get 1
    )
    (func (;28;) (type 4) (param i32) (result i32)
      (local i32)
      block ;; label = @1
        local.get 0
        i32.const 16
        i32.add
        i32.const 4
        call 29
        local.tee 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 1
        local.get 0
        i64.extend_i32_u
        i64.const 5
        i64.shl
        i64.const 4
        i64.or
        i64.store offset=8
        local.get 1
        i32.const 16
        i32.add
        return
      end
      i32.const 0
      i32.const 48
      i32.store offset=1049140
      i32.const 0
    )
    (func (;29;) (type 11) (param i32 i32) (result i32)
      (local i32 i32 i32)
      i32.const 0
      local.set 2
      block ;; label = @1
        i32.const -1
        local.get 0
        i32.const 4
        i32.add
        local.tee 3
        local.get 3
        local.get 0
        i32.lt_u
        select
        local.tee 0
        i32.const 1
        local.get 1
        i32.shl
        local.tee 1
        local.get 0
        local.get 1
        i32.gt_u
        select
        local.tee 1
        i32.const -1
        i32.add
        i32.clz
        local.tee 0
        i32.eqz
        br_if 0 (;@1;)
        block ;; label = @2
          block ;; label = @3
            i32.const 32
            local.get 0
            i32.sub
            local.tee 0
            i32.const 65535
            i32.and
            i32.const -3
            i32.add
            local.tee 3
            i32.const 13
            i32.ge_u
            br_if 0 (;@3;)
            i64.const 1
            local.get 0
            i64.extend_i32_u
            i64.const 65535
            i64.and
            i64.shl
            i32.wrap_i64
            local.set 4
            local.get 3
            i32.const 2
            i32.shl
            local.tee 0
            i32.load offset=1049196
            local.tee 1
            i32.eqz
            br_if 1 (;@2;)
            local.get 0
            i32.const 1049196
            i32.add
            local.get 4
            local.get 1
            i32.add
            i32.const -4
            i32.add
            i32.load
            i32.store
            local.get 1
            return
          end
          local.get 1
          i32.const 65539
          i32.add
          i32.const 16
          i32.shr_u
          call 31
          local.set 2
          br 1 (;@1;)
        end
        local.get 0
        i32.const 1049144
        i32.add
        local.set 1
        block ;; label = @2
          local.get 0
          i32.load offset=1049144
          local.tee 0
          i32.const 65535
          i32.and
          br_if 0 (;@2;)
          i32.const 1
          call 31
          local.tee 0
          i32.eqz
          br_if 1 (;@1;)
          local.get 1
          local.get 0
          local.get 4
          i32.add
          i32.store
          local.get 0
          return
        end
        local.get 1
        local.get 0
        local.get 4
        i32.add
        i32.store
        local.get 0
        return
      end
      local.get 2
    )
    (func (;30;) (type 2) (param i32 i32 i32)
      (local i32)
      block ;; label = @1
        i32.const 32
        local.get 1
        i32.const 4
        i32.add
        local.tee 1
        i32.const 1
        local.get 2
        i32.shl
        local.tee 2
        local.get 1
        local.get 2
        i32.gt_u
        select
        local.tee 2
        i32.const -1
        i32.add
        i32.clz
        i32.sub
        local.tee 1
        i32.const 65535
        i32.and
        i32.const -3
        i32.add
        local.tee 3
        i32.const 13
        i32.ge_u
        br_if 0 (;@1;)
        local.get 0
        i64.const 1
        local.get 1
        i64.extend_i32_s
        i64.shl
        i32.wrap_i64
        i32.add
        i32.const -4
        i32.add
        local.get 3
        i32.const 2
        i32.shl
        local.tee 2
        i32.load offset=1049196
        i32.store
        local.get 2
        local.get 0
        i32.store offset=1049196
        return
      end
      local.get 0
      i64.const 1
      i32.const 32
      local.get 2
      i32.const 65539
      i32.add
      i32.const 16
      i32.shr_u
      i32.const -1
      i32.add
      i32.clz
      i32.sub
      local.tee 2
      i64.extend_i32_u
      i64.const 65535
      i64.and
      i64.shl
      i32.wrap_i64
      i32.const 16
      i32.shl
      i32.add
      i32.const -4
      i32.add
      local.get 2
      i32.const 65535
      i32.and
      i32.const 2
      i32.shl
      local.tee 2
      i32.load offset=1049248
      i32.store
      local.get 2
      local.get 0
      i32.store offset=1049248
    )
    (func (;31;) (type 4) (param i32) (result i32)
      (local i32 i32)
      i64.const 1
      i32.const 32
      local.get 0
      i32.const -1
      i32.add
      i32.clz
      i32.sub
      local.tee 0
      i64.extend_i32_u
      i64.const 65535
      i64.and
      i64.shl
      i32.wrap_i64
      local.set 1
      block ;; label = @1
        local.get 0
        i32.const 65535
        i32.and
        i32.const 2
        i32.shl
        local.tee 2
        i32.load offset=1049248
        local.tee 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.const 1049248
        i32.add
        local.get 1
        i32.const 16
        i32.shl
        local.get 0
        i32.add
        i32.const -4
        i32.add
        i32.load
        i32.store
        local.get 0
        return
      end
      i32.const 0
      local.get 1
      memory.grow
      local.tee 0
      i32.const 16
      i32.shl
      local.get 0
      i32.const -1
      i32.eq
      select
    )
    (func (;32;) (type 0) (param i32)
      (local i64 i32 i32)
      block ;; label = @1
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.const 1
        local.get 0
        i32.const -8
        i32.add
        i64.load
        local.tee 1
        i32.wrap_i64
        local.tee 2
        i32.shl
        local.tee 3
        i32.sub
        local.get 3
        local.get 1
        i64.const 5
        i64.shr_u
        i32.wrap_i64
        i32.add
        local.get 2
        call 30
      end
    )
    (func (;33;) (type 11) (param i32 i32) (result i32)
      (local i64 i32 i32 i32 i32 i32 i32 i32 i32)
      block ;; label = @1
        local.get 1
        br_if 0 (;@1;)
        local.get 0
        call 32
        i32.const 0
        return
      end
      block ;; label = @1
        local.get 0
        br_if 0 (;@1;)
        local.get 1
        call 28
        return
      end
      i32.const -1
      i32.const 1
      local.get 0
      i32.const -8
      i32.add
      i64.load
      local.tee 2
      i32.wrap_i64
      local.tee 3
      i32.shl
      local.tee 4
      local.get 1
      i32.add
      local.tee 5
      i32.const 4
      i32.add
      local.tee 6
      local.get 6
      local.get 5
      i32.lt_u
      select
      local.tee 6
      local.get 4
      local.get 6
      local.get 4
      i32.gt_u
      select
      local.set 6
      local.get 0
      local.get 4
      i32.sub
      local.set 7
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 4
              local.get 2
              i64.const 5
              i64.shr_u
              i32.wrap_i64
              local.tee 8
              i32.add
              local.tee 9
              i32.const 4
              i32.add
              local.tee 10
              local.get 4
              local.get 10
              local.get 4
              i32.gt_u
              select
              local.tee 10
              i32.const 32768
              i32.gt_u
              br_if 0 (;@4;)
              local.get 6
              i32.const -1
              i32.add
              i32.clz
              local.tee 6
              i32.eqz
              br_if 1 (;@3;)
              i64.const 1
              i32.const 32
              local.get 10
              i32.const -1
              i32.add
              i32.clz
              i32.sub
              i64.extend_i32_u
              i64.const 65535
              i64.and
              i64.shl
              i32.wrap_i64
              i64.const 1
              i32.const 32
              local.get 6
              i32.sub
              i64.extend_i32_u
              i64.const 65535
              i64.and
              i64.shl
              i32.wrap_i64
              i32.ne
              br_if 1 (;@3;)
              br 2 (;@2;)
            end
            i64.const 1
            i32.const 32
            local.get 10
            i32.const 65539
            i32.add
            i32.const 16
            i32.shr_u
            i32.const -1
            i32.add
            i32.clz
            i32.sub
            i64.extend_i32_u
            i64.const 65535
            i64.and
            i64.shl
            i32.wrap_i64
            i64.const 1
            i32.const 32
            local.get 6
            i32.const 65539
            i32.add
            i32.const 16
            i32.shr_u
            i32.const -1
            i32.add
            i32.clz
            i32.sub
            i64.extend_i32_u
            i64.const 65535
            i64.and
            i64.shl
            i32.wrap_i64
            i32.eq
            br_if 1 (;@2;)
          end
          block ;; label = @3
            local.get 5
            local.get 3
            call 29
            local.tee 5
            i32.eqz
            br_if 0 (;@3;)
            local.get 5
            local.get 4
            i32.add
            local.set 5
            block ;; label = @4
              local.get 1
              local.get 8
              local.get 1
              local.get 8
              i32.lt_u
              select
              local.tee 6
              i32.eqz
              br_if 0 (;@4;)
              i32.const 0
              local.set 4
              loop ;; label = @5
                local.get 5
                local.get 4
                i32.add
                local.get 0
                local.get 4
                i32.add
                i32.load8_u
                i32.store8
                local.get 4
                i32.const 1
                i32.add
                local.tee 4
                local.get 6
                i32.lt_u
                br_if 0 (;@5;)
              end
            end
            local.get 7
            local.get 9
            local.get 3
            call 30
            br 2 (;@1;)
          end
          i32.const 0
          i32.const 48
          i32.store offset=1049140
          i32.const 0
          return
        end
        local.get 7
        local.get 4
        i32.add
        local.set 5
      end
      local.get 5
      i32.const -8
      i32.add
      local.get 2
      i64.const 31
      i64.and
      local.get 1
      i64.extend_i32_u
      i64.const 5
      i64.shl
      i64.or
      i64.store
      local.get 5
    )
    (func (;34;) (type 0) (param i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      i32.const 1048918
      call 35
      local.get 1
      i32.const 8
      i32.add
      i32.const 1048981
      call 35
      local.get 1
      i32.const 16
      i32.add
      i32.const 1048987
      call 35
      local.get 1
      i32.const 24
      i32.add
      i32.const 1048659
      call 35
      local.get 1
      i32.const 32
      i32.add
      i32.const 1048579
      call 35
      i32.const 1048896
      i32.const 1048945
      call 36
      local.set 2
      local.get 1
      i32.const 1
      i32.store offset=44
      local.get 1
      local.get 2
      i32.store offset=40
      local.get 0
      local.get 1
      i32.const 48
      memory.copy
      local.get 1
      i32.const 48
      i32.add
      global.set 0
    )
    (func (;35;) (type 9) (param i32 i32)
      (local i32 i32)
      local.get 1
      call 68
      local.tee 2
      i32.const 1
      i32.add
      call 28
      local.set 3
      block ;; label = @1
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 3
        local.get 1
        local.get 2
        memory.copy
      end
      local.get 0
      local.get 2
      i32.store offset=4
      local.get 0
      local.get 3
      i32.store
      local.get 3
      local.get 2
      i32.add
      i32.const 0
      i32.store8
    )
    (func (;36;) (type 11) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      i32.const 16
      call 28
      local.set 3
      local.get 2
      local.get 0
      call 35
      local.get 2
      i32.const 8
      i32.add
      local.get 1
      call 35
      local.get 3
      local.get 2
      i64.load offset=8 align=4
      i64.store offset=8 align=4
      local.get 3
      local.get 2
      i64.load align=4
      i64.store align=4
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      local.get 3
    )
    (func (;37;) (type 9) (param i32 i32)
      (local i32 i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 1
      i64.const 0
      i64.store align=4
      local.get 0
      i32.load
      local.set 3
      local.get 0
      i32.load offset=4
      local.tee 0
      i32.const 1
      i32.add
      call 28
      local.set 4
      block ;; label = @1
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 4
        local.get 3
        local.get 0
        memory.copy
      end
      local.get 4
      local.get 0
      i32.add
      i32.const 0
      i32.store8
      block ;; label = @1
        local.get 4
        i32.const 1049021
        call 25
        i32.eqz
        br_if 0 (;@1;)
        i32.const 16
        call 28
        local.set 0
        local.get 1
        i32.const 1
        i32.store offset=4
        local.get 1
        local.get 0
        i32.store
        local.get 2
        i32.const 1048904
        call 35
        local.get 2
        i32.const 8
        i32.add
        i32.const 1048776
        call 35
        local.get 0
        local.get 2
        i64.load offset=8 align=4
        i64.store offset=8 align=4
        local.get 0
        local.get 2
        i64.load align=4
        i64.store align=4
      end
      local.get 2
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;38;) (type 12) (param i32 i32 i32 i32 i32 i32) (result i32)
      (local i32 i32 i32 i64 i32 i32 i32 i32)
      global.get 0
      i32.const 368
      i32.sub
      local.tee 6
      global.set 0
      local.get 1
      i32.load
      local.set 7
      local.get 1
      i32.load offset=4
      local.tee 1
      i32.const 1
      i32.add
      call 28
      local.set 8
      block ;; label = @1
        local.get 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 8
        local.get 7
        local.get 1
        memory.copy
      end
      i32.const 0
      local.set 7
      local.get 8
      local.get 1
      i32.add
      i32.const 0
      i32.store8
      block ;; label = @1
        block ;; label = @2
          local.get 8
          i32.const 1049014
          call 25
          i32.eqz
          br_if 0 (;@2;)
          local.get 6
          i32.const 64
          i32.add
          i32.const 1048854
          call 35
          local.get 6
          i32.const 72
          i32.add
          i32.const 1048758
          call 35
          local.get 6
          i64.const 0
          i64.store offset=80 align=4
          local.get 6
          i32.const 88
          i32.add
          i32.const 1048576
          call 35
          local.get 5
          local.get 6
          i64.load offset=88 align=4
          i64.store offset=24 align=4
          local.get 5
          local.get 6
          i64.load offset=80 align=4
          i64.store offset=16 align=4
          local.get 5
          local.get 6
          i64.load offset=72 align=4
          i64.store offset=8 align=4
          local.get 5
          local.get 6
          i64.load offset=64 align=4
          i64.store align=4
          br 1 (;@1;)
        end
        block ;; label = @2
          local.get 3
          i32.load offset=4
          br_if 0 (;@2;)
          local.get 8
          i32.const 1049030
          call 25
          local.set 2
          local.get 6
          i32.const 96
          i32.add
          i32.const 1048865
          call 35
          local.get 6
          i32.const 268
          i32.add
          i32.const 1048738
          call 35
          local.get 0
          i32.load offset=36
          local.set 5
          i32.const 11
          call 28
          local.tee 1
          i32.const 0
          i32.store8 offset=10
          local.get 1
          i32.const 10
          i32.add
          local.set 1
          loop ;; label = @3
            local.get 1
            i32.const -1
            i32.add
            local.tee 1
            local.get 5
            local.get 5
            i32.const 10
            i32.div_u
            local.tee 8
            i32.const 10
            i32.mul
            i32.sub
            i32.const 48
            i32.or
            i32.store8
            local.get 5
            i32.const 9
            i32.gt_u
            local.set 7
            local.get 8
            local.set 5
            local.get 7
            br_if 0 (;@3;)
          end
          i32.const 1
          local.set 7
          i32.const 1048936
          local.get 1
          call 36
          local.set 5
          local.get 6
          i32.const 1
          i32.store offset=308
          local.get 6
          local.get 5
          i32.store offset=304
          i32.const 2
          local.get 6
          i32.const 96
          i32.add
          local.get 6
          i32.const 304
          i32.add
          call 51
          i32.const 50
          local.get 6
          i32.const 268
          i32.add
          call 52
          local.get 6
          i32.const 0
          i32.store offset=144
          local.get 6
          i32.const 148
          i32.add
          i32.const 1048815
          call 39
          local.get 6
          i32.const 3600000
          i32.const 1
          local.get 2
          select
          i32.store offset=156
          local.get 6
          i32.const 160
          i32.add
          i32.const 1048815
          call 35
          local.get 6
          i32.const 168
          i32.add
          i32.const 1048576
          call 35
          local.get 6
          i64.const 0
          i64.store offset=184 align=4
          local.get 6
          i64.const 0
          i64.store offset=176 align=4
          local.get 4
          local.get 6
          i32.const 144
          i32.add
          i32.const 48
          memory.copy
          br 1 (;@1;)
        end
        local.get 2
        i32.load
        local.set 7
        local.get 2
        i32.load offset=4
        local.tee 1
        i32.const 1
        i32.add
        call 28
        local.set 2
        block ;; label = @2
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          local.get 7
          local.get 1
          memory.copy
        end
        i32.const 0
        local.set 7
        local.get 2
        local.get 1
        i32.add
        i32.const 0
        i32.store8
        local.get 6
        i32.const 360
        i32.add
        local.get 2
        i32.const 1048799
        i32.const 1048715
        call 40
        call 35
        local.get 6
        i32.const 352
        i32.add
        i32.const 1048854
        call 35
        local.get 6
        i32.const 144
        i32.add
        i32.const 1048809
        call 35
        local.get 6
        i32.const 96
        i32.add
        i32.const 1048722
        call 39
        local.get 6
        i32.const 144
        i32.add
        local.get 6
        i32.const 268
        i32.add
        local.get 5
        call 57
        i32.eqz
        br_if 0 (;@1;)
        i32.const 0
        local.set 7
        i32.const 0
        local.set 1
        block ;; label = @2
          local.get 6
          i32.load offset=272
          i32.eqz
          br_if 0 (;@2;)
          local.get 6
          i32.load offset=268
          i32.load offset=8
          local.set 1
        end
        local.get 6
        i32.const 144
        i32.add
        local.get 6
        i32.const 96
        i32.add
        local.get 1
        local.get 6
        i32.const 340
        i32.add
        local.get 5
        call 58
        i32.eqz
        br_if 0 (;@1;)
        local.get 6
        local.get 6
        i64.load offset=360
        local.tee 9
        i64.store offset=96
        local.get 6
        i32.const 96
        i32.add
        local.get 6
        i32.const 268
        i32.add
        local.get 5
        call 60
        i32.eqz
        br_if 0 (;@1;)
        local.get 6
        i32.load offset=268
        call 50
        local.set 10
        local.get 6
        i64.const 0
        i64.store offset=144
        local.get 10
        i32.const 4
        local.get 6
        i32.const 144
        i32.add
        local.get 5
        call 59
        i32.eqz
        br_if 0 (;@1;)
        i32.const 0
        local.set 2
        i32.const 0
        local.set 3
        block ;; label = @2
          loop ;; label = @3
            local.get 6
            i32.load offset=148
            local.tee 1
            i32.eqz
            br_if 1 (;@2;)
            local.get 3
            local.get 1
            local.get 2
            i32.add
            local.tee 11
            call 33
            local.set 3
            block ;; label = @4
              local.get 1
              i32.eqz
              br_if 0 (;@4;)
              local.get 3
              local.get 2
              i32.add
              local.get 6
              i32.load offset=144
              local.get 1
              memory.copy
            end
            local.get 11
            local.set 2
            local.get 10
            i32.const 4
            local.get 6
            i32.const 144
            i32.add
            local.get 5
            call 59
            br_if 0 (;@3;)
            br 2 (;@1;)
          end
        end
        local.get 6
        i32.load offset=268
        call 49
        i32.const 0
        local.set 7
        local.get 6
        i32.const 352
        i32.add
        local.get 6
        i32.const 344
        i32.add
        local.get 5
        call 56
        i32.eqz
        br_if 0 (;@1;)
        local.get 6
        i32.const 304
        i32.add
        i32.const 1048821
        call 35
        local.get 6
        i32.const 304
        i32.add
        i32.const 8
        i32.or
        local.set 11
        local.get 6
        i32.load offset=344
        local.set 10
        local.get 6
        i32.load offset=348
        local.tee 1
        i32.const 1
        i32.add
        call 28
        local.set 7
        block ;; label = @2
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 7
          local.get 10
          local.get 1
          memory.copy
        end
        local.get 7
        local.get 1
        i32.add
        i32.const 0
        i32.store8
        local.get 6
        i32.const 0
        i32.store offset=52
        local.get 6
        local.get 7
        i32.store offset=48
        local.get 11
        i32.const 1049050
        local.get 6
        i32.const 48
        i32.add
        call 41
        call 35
        local.get 6
        i32.const 320
        i32.add
        i32.const 1048699
        call 35
        local.get 6
        local.get 0
        i64.load offset=40 align=4
        i64.store offset=328
        local.get 6
        i32.const 268
        i32.add
        i32.const 1048971
        call 35
        local.get 6
        i32.const 268
        i32.add
        i32.const 8
        i32.add
        local.get 8
        i32.const 1048861
        i32.const 0
        call 40
        call 35
        local.get 6
        i32.const 10000
        i32.store offset=300
        local.get 6
        local.get 2
        i32.store offset=296
        local.get 6
        local.get 3
        i32.store offset=292
        local.get 6
        i32.const 2
        i32.store offset=288
        local.get 6
        local.get 6
        i32.const 304
        i32.add
        i32.store offset=284
        local.get 6
        i32.const 268
        i32.add
        local.get 6
        i32.const 244
        i32.add
        local.get 5
        call 62
        local.tee 7
        i32.eqz
        br_if 0 (;@1;)
        local.get 6
        i64.const 0
        i64.store offset=232
        local.get 6
        i64.const 0
        i64.store offset=224
        local.get 6
        i64.const 0
        i64.store offset=216
        local.get 6
        i64.const 0
        i64.store offset=208
        local.get 6
        i32.const 352
        i32.add
        local.get 6
        i32.const 240
        i32.add
        local.get 6
        i32.const 208
        i32.add
        call 61
        local.set 5
        call 53
        local.set 10
        call 54
        local.set 12
        i32.const 1
        call 55
        local.set 13
        i32.const 64
        call 28
        local.set 11
        local.get 6
        i32.const 144
        i32.add
        i32.const 1048732
        call 35
        local.get 6
        i32.const 152
        i32.add
        i32.const 1048727
        call 35
        local.get 6
        local.get 9
        i64.store offset=160 align=4
        local.get 6
        i32.const 168
        i32.add
        i32.const 1048835
        call 35
        local.get 6
        i32.const 176
        i32.add
        i32.const 1048979
        call 35
        local.get 6
        i32.const 184
        i32.add
        i32.const 1048965
        call 35
        local.get 6
        i32.const 144
        i32.add
        i32.const 48
        i32.add
        i32.const 1048967
        call 35
        i32.const 1048896
        i32.const 1048749
        call 36
        local.set 1
        local.get 6
        i32.const 1
        i32.store offset=204
        local.get 6
        local.get 1
        i32.store offset=200
        local.get 11
        local.get 6
        i32.const 144
        i32.add
        i32.const 64
        memory.copy
        i32.const 1048846
        local.set 0
        block ;; label = @2
          local.get 5
          br_if 0 (;@2;)
          local.get 6
          i32.load offset=208
          local.set 1
          local.get 6
          i32.load offset=212
          local.tee 5
          i32.const 1
          i32.add
          call 28
          local.set 0
          block ;; label = @3
            local.get 5
            i32.eqz
            br_if 0 (;@3;)
            local.get 5
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            local.get 1
            local.get 5
            memory.copy
          end
          local.get 0
          local.get 5
          i32.add
          i32.const 0
          i32.store8
        end
        local.get 6
        i32.const 0
        i32.store16 offset=97 align=1
        local.get 6
        i32.const 1
        i32.store8 offset=96
        local.get 6
        i32.const 0
        i32.store8 offset=99
        local.get 6
        i32.const 100
        i32.add
        i32.const 1048931
        call 39
        local.get 6
        i32.const 0
        i32.store offset=108
        local.get 6
        i32.const 112
        i32.add
        i32.const 1048880
        call 35
        local.get 6
        i32.load offset=244
        local.set 5
        i32.const 11
        call 28
        local.tee 1
        i32.const 0
        i32.store8 offset=10
        local.get 1
        i32.const 10
        i32.add
        local.set 1
        loop ;; label = @2
          local.get 1
          i32.const -1
          i32.add
          local.tee 1
          local.get 5
          local.get 5
          i32.const 10
          i32.div_u
          local.tee 8
          i32.const 10
          i32.mul
          i32.sub
          i32.const 48
          i32.or
          i32.store8
          local.get 5
          i32.const 9
          i32.gt_u
          local.set 2
          local.get 8
          local.set 5
          local.get 2
          br_if 0 (;@2;)
        end
        local.get 6
        i32.load offset=340
        local.set 5
        i32.const 11
        call 28
        local.tee 8
        i32.const 0
        i32.store8 offset=10
        local.get 8
        i32.const 10
        i32.add
        local.set 8
        loop ;; label = @2
          local.get 8
          i32.const -1
          i32.add
          local.tee 8
          local.get 5
          local.get 5
          i32.const 10
          i32.div_u
          local.tee 2
          i32.const 10
          i32.mul
          i32.sub
          i32.const 48
          i32.or
          i32.store8
          local.get 5
          i32.const 9
          i32.gt_u
          local.set 3
          local.get 2
          local.set 5
          local.get 3
          br_if 0 (;@2;)
        end
        local.get 6
        i32.const 40
        i32.add
        i32.const 0
        i32.store
        local.get 6
        i32.const 36
        i32.add
        i32.const 1048697
        i32.store
        local.get 6
        i32.const 32
        i32.add
        local.get 8
        i32.store
        local.get 6
        i32.const 28
        i32.add
        i32.const 1049092
        i32.store
        local.get 6
        i32.const 24
        i32.add
        i32.const 1048899
        i32.const 1048912
        local.get 12
        select
        i32.store
        local.get 6
        i32.const 20
        i32.add
        i32.const 1049106
        i32.store
        local.get 6
        i32.const 16
        i32.add
        i32.const 1048899
        i32.const 1048912
        local.get 10
        local.get 13
        i32.or
        i32.const 1
        i32.and
        select
        i32.store
        local.get 6
        i32.const 1049117
        i32.store offset=12
        local.get 6
        local.get 0
        i32.store offset=8
        local.get 6
        i32.const 1049037
        i32.store offset=4
        local.get 6
        local.get 1
        i32.store
        local.get 6
        i32.const 96
        i32.add
        i32.const 24
        i32.add
        i32.const 1049080
        local.get 6
        call 41
        call 35
        local.get 6
        i32.const 1
        i32.store offset=132
        local.get 6
        local.get 11
        i32.store offset=128
        i32.const 1048896
        i32.const 1048954
        call 36
        local.set 5
        local.get 6
        i32.const 1
        i32.store offset=140
        local.get 6
        local.get 5
        i32.store offset=136
        local.get 4
        local.get 6
        i32.const 96
        i32.add
        i32.const 48
        memory.copy
      end
      local.get 6
      i32.const 368
      i32.add
      global.set 0
      local.get 7
    )
    (func (;39;) (type 9) (param i32 i32)
      (local i32 i32)
      local.get 1
      call 68
      local.tee 2
      i32.const 1
      i32.add
      call 28
      local.set 3
      block ;; label = @1
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 3
        local.get 1
        local.get 2
        memory.copy
      end
      local.get 0
      local.get 2
      i32.store offset=4
      local.get 0
      local.get 3
      i32.store
      local.get 3
      local.get 2
      i32.add
      i32.const 0
      i32.store8
    )
    (func (;40;) (type 13) (param i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 3
      i32.const 0
      i32.store offset=40
      local.get 3
      i32.const 1048976
      i32.store offset=36
      local.get 3
      local.get 1
      i32.store offset=32
      local.get 0
      i32.const 1049048
      local.get 3
      i32.const 32
      i32.add
      call 41
      call 25
      local.set 0
      block ;; label = @1
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 3
        i32.const 0
        i32.store offset=24
        local.get 3
        i32.const 1048976
        i32.store offset=20
        local.get 3
        local.get 2
        i32.store offset=16
        local.get 0
        i32.const 1049048
        local.get 3
        i32.const 16
        i32.add
        call 41
        call 25
        local.set 0
      end
      block ;; label = @1
        block ;; label = @2
          local.get 0
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          local.get 2
          local.get 1
          local.get 2
          select
          call 68
          i32.add
          i32.const 2
          i32.add
          i32.const 34
          call 27
          local.tee 0
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          i32.const 1
          i32.add
          local.tee 1
          i32.const 1049048
          call 26
          local.tee 2
          i32.const 1
          i32.add
          call 28
          local.set 0
          block ;; label = @3
            local.get 2
            i32.eqz
            br_if 0 (;@3;)
            local.get 2
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            local.get 1
            local.get 2
            memory.copy
          end
          local.get 0
          local.get 2
          i32.add
          i32.const 0
          i32.store8
          br 1 (;@1;)
        end
        local.get 3
        i32.const 0
        i32.store
        i32.const 1049133
        local.get 3
        call 41
        local.set 0
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;41;) (type 11) (param i32 i32) (result i32)
      (local i32 i32 i32 i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      local.get 1
      i32.store offset=12
      block ;; label = @1
        block ;; label = @2
          local.get 0
          br_if 0 (;@2;)
          i32.const 0
          local.set 3
          br 1 (;@1;)
        end
        i32.const 0
        local.set 4
        local.get 2
        i32.load offset=12
        local.set 1
        i32.const 0
        local.set 3
        loop ;; label = @2
          local.get 3
          local.get 0
          call 68
          local.tee 5
          local.get 4
          i32.add
          local.tee 6
          i32.const 1
          i32.add
          call 33
          local.set 3
          block ;; label = @3
            local.get 5
            i32.const 1
            i32.add
            local.tee 5
            i32.eqz
            br_if 0 (;@3;)
            local.get 3
            local.get 4
            i32.add
            local.get 0
            local.get 5
            memory.copy
          end
          local.get 2
          local.get 1
          i32.const 4
          i32.add
          local.tee 5
          i32.store offset=12
          local.get 1
          i32.load
          local.set 0
          local.get 6
          local.set 4
          local.get 5
          local.set 1
          local.get 0
          br_if 0 (;@2;)
        end
      end
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      local.get 3
    )
    (func (;42;) (type 12) (param i32 i32 i32 i32 i32 i32) (result i32)
      (local i32 i32 i32)
      global.get 0
      i32.const 80
      i32.sub
      local.tee 6
      global.set 0
      local.get 3
      i32.load
      local.set 7
      local.get 3
      i32.load offset=4
      local.tee 3
      i32.const 1
      i32.add
      call 28
      local.set 8
      block ;; label = @1
        local.get 3
        i32.eqz
        br_if 0 (;@1;)
        local.get 3
        i32.eqz
        br_if 0 (;@1;)
        local.get 8
        local.get 7
        local.get 3
        memory.copy
      end
      local.get 8
      local.get 3
      i32.add
      i32.const 0
      i32.store8
      local.get 6
      i32.const 0
      i32.store offset=4
      local.get 6
      local.get 8
      i32.store
      local.get 6
      i32.const 72
      i32.add
      i32.const 1049058
      local.get 6
      call 41
      call 35
      local.get 6
      i64.const 0
      i64.store offset=64
      i32.const 1
      local.get 6
      i32.const 72
      i32.add
      local.get 6
      i32.const 64
      i32.add
      call 51
      local.get 6
      i64.const 0
      i64.store offset=17 align=1
      local.get 6
      i32.const 1
      i32.store8 offset=16
      local.get 6
      i64.const 0
      i64.store offset=24 align=1
      local.get 6
      local.get 6
      i64.load offset=72
      i64.store offset=32 align=4
      local.get 6
      i32.const 40
      i32.add
      i32.const 1048576
      call 35
      local.get 6
      i64.const 0
      i64.store offset=56 align=4
      local.get 6
      i64.const 0
      i64.store offset=48 align=4
      local.get 4
      local.get 6
      i32.const 16
      i32.add
      i32.const 48
      memory.copy
      local.get 6
      i32.const 80
      i32.add
      global.set 0
      i32.const 1
    )
    (func (;43;) (type 7)
      unreachable
    )
    (func (;44;) (type 0) (param i32)
      (local i32 i32)
      block ;; label = @1
        local.get 0
        i32.load offset=4
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load
        call 32
      end
      block ;; label = @1
        local.get 0
        i32.load offset=12
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=8
        call 32
      end
      block ;; label = @1
        local.get 0
        i32.load offset=20
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=16
        call 32
      end
      block ;; label = @1
        local.get 0
        i32.load offset=28
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=24
        call 32
      end
      block ;; label = @1
        local.get 0
        i32.load offset=36
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=32
        call 32
      end
      block ;; label = @1
        local.get 0
        i32.load offset=44
        local.tee 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=40
        local.tee 2
        local.set 0
        loop ;; label = @2
          block ;; label = @3
            local.get 0
            i32.const 4
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load
            call 32
          end
          block ;; label = @3
            local.get 0
            i32.const 12
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.const 8
            i32.add
            i32.load
            call 32
          end
          local.get 0
          i32.const 16
          i32.add
          local.set 0
          local.get 1
          i32.const -1
          i32.add
          local.tee 1
          br_if 0 (;@2;)
        end
        local.get 2
        call 32
      end
    )
    (func (;45;) (type 0) (param i32)
      (local i32 i32)
      block ;; label = @1
        local.get 0
        i32.load offset=4
        local.tee 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load
        local.tee 2
        local.set 0
        loop ;; label = @2
          block ;; label = @3
            local.get 0
            i32.const 4
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load
            call 32
          end
          block ;; label = @3
            local.get 0
            i32.const 12
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.const 8
            i32.add
            i32.load
            call 32
          end
          local.get 0
          i32.const 16
          i32.add
          local.set 0
          local.get 1
          i32.const -1
          i32.add
          local.tee 1
          br_if 0 (;@2;)
        end
        local.get 2
        call 32
      end
    )
    (func (;46;) (type 0) (param i32)
      (local i32 i32 i32 i32 i32 i32)
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 0
              i32.load8_u
              br_table 0 (;@4;) 1 (;@3;) 3 (;@1;)
            end
            block ;; label = @4
              local.get 0
              i32.load offset=12
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=8
              call 32
            end
            block ;; label = @4
              local.get 0
              i32.load offset=24
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=20
              call 32
            end
            block ;; label = @4
              local.get 0
              i32.load offset=32
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=28
              call 32
            end
            block ;; label = @4
              local.get 0
              i32.load offset=40
              local.tee 1
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=36
              local.set 2
              i32.const 0
              local.set 3
              loop ;; label = @5
                block ;; label = @6
                  local.get 2
                  local.get 3
                  i32.const 6
                  i32.shl
                  i32.add
                  local.tee 4
                  i32.load offset=4
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=12
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=8
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=20
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=16
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=28
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=24
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=36
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=32
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=44
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=40
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=52
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=48
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=60
                  local.tee 5
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=56
                  local.tee 6
                  local.set 4
                  loop ;; label = @7
                    block ;; label = @8
                      local.get 4
                      i32.const 4
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.load
                      call 32
                    end
                    block ;; label = @8
                      local.get 4
                      i32.const 12
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.const 8
                      i32.add
                      i32.load
                      call 32
                    end
                    local.get 4
                    i32.const 16
                    i32.add
                    local.set 4
                    local.get 5
                    i32.const -1
                    i32.add
                    local.tee 5
                    br_if 0 (;@7;)
                  end
                  local.get 6
                  call 32
                end
                local.get 3
                i32.const 1
                i32.add
                local.tee 3
                local.get 1
                i32.ne
                br_if 0 (;@5;)
              end
              local.get 2
              call 32
            end
            local.get 0
            i32.load offset=48
            local.tee 5
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=44
            local.tee 3
            local.set 4
            loop ;; label = @4
              block ;; label = @5
                local.get 4
                i32.const 4
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 4
                i32.load
                call 32
              end
              block ;; label = @5
                local.get 4
                i32.const 12
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 4
                i32.const 8
                i32.add
                i32.load
                call 32
              end
              local.get 4
              i32.const 16
              i32.add
              local.set 4
              local.get 5
              i32.const -1
              i32.add
              local.tee 5
              br_if 0 (;@4;)
              br 2 (;@2;)
            end
          end
          block ;; label = @3
            local.get 0
            i32.load offset=8
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=4
            call 32
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 32
          end
          local.get 0
          i32.load offset=32
          i32.eqz
          br_if 1 (;@1;)
          local.get 0
          i32.load offset=28
          local.set 3
        end
        local.get 3
        call 32
      end
    )
    (func (;47;) (type 0) (param i32)
      (local i32 i32 i32 i32 i32 i32)
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 0
              i32.load8_u
              br_table 0 (;@4;) 1 (;@3;) 3 (;@1;)
            end
            block ;; label = @4
              local.get 0
              i32.load offset=12
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=8
              call 32
            end
            block ;; label = @4
              local.get 0
              i32.load offset=24
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=20
              call 32
            end
            block ;; label = @4
              local.get 0
              i32.load offset=32
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=28
              call 32
            end
            block ;; label = @4
              local.get 0
              i32.load offset=40
              local.tee 1
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=36
              local.set 2
              i32.const 0
              local.set 3
              loop ;; label = @5
                block ;; label = @6
                  local.get 2
                  local.get 3
                  i32.const 6
                  i32.shl
                  i32.add
                  local.tee 4
                  i32.load offset=4
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=12
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=8
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=20
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=16
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=28
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=24
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=36
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=32
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=44
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=40
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=52
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=48
                  call 32
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=60
                  local.tee 5
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=56
                  local.tee 6
                  local.set 4
                  loop ;; label = @7
                    block ;; label = @8
                      local.get 4
                      i32.const 4
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.load
                      call 32
                    end
                    block ;; label = @8
                      local.get 4
                      i32.const 12
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.const 8
                      i32.add
                      i32.load
                      call 32
                    end
                    local.get 4
                    i32.const 16
                    i32.add
                    local.set 4
                    local.get 5
                    i32.const -1
                    i32.add
                    local.tee 5
                    br_if 0 (;@7;)
                  end
                  local.get 6
                  call 32
                end
                local.get 3
                i32.const 1
                i32.add
                local.tee 3
                local.get 1
                i32.ne
                br_if 0 (;@5;)
              end
              local.get 2
              call 32
            end
            local.get 0
            i32.load offset=48
            local.tee 5
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=44
            local.tee 3
            local.set 4
            loop ;; label = @4
              block ;; label = @5
                local.get 4
                i32.const 4
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 4
                i32.load
                call 32
              end
              block ;; label = @5
                local.get 4
                i32.const 12
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 4
                i32.const 8
                i32.add
                i32.load
                call 32
              end
              local.get 4
              i32.const 16
              i32.add
              local.set 4
              local.get 5
              i32.const -1
              i32.add
              local.tee 5
              br_if 0 (;@4;)
              br 2 (;@2;)
            end
          end
          block ;; label = @3
            local.get 0
            i32.load offset=8
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=4
            call 32
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 32
          end
          local.get 0
          i32.load offset=32
          i32.eqz
          br_if 1 (;@1;)
          local.get 0
          i32.load offset=28
          local.set 3
        end
        local.get 3
        call 32
      end
    )
    (func (;48;) (type 8) (param i32 i32 i32 i32) (result i32)
      block ;; label = @1
        local.get 3
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        local.get 3
        call 33
        local.tee 2
        br_if 0 (;@1;)
        call 43
        unreachable
      end
      local.get 2
    )
    (func (;49;) (type 0) (param i32)
      local.get 0
      call 0
    )
    (func (;50;) (type 4) (param i32) (result i32)
      local.get 0
    )
    (func (;51;) (type 2) (param i32 i32 i32)
      local.get 0
      local.get 1
      i32.load
      local.get 1
      i32.load offset=4
      local.get 2
      i32.load
      local.get 2
      i32.load offset=4
      call 1
    )
    (func (;52;) (type 9) (param i32 i32)
      local.get 0
      local.get 1
      i32.load
      local.get 1
      i32.load offset=4
      call 2
    )
    (func (;53;) (type 3) (result i32)
      call 3
      i32.const 0
      i32.ne
    )
    (func (;54;) (type 3) (result i32)
      call 4
    )
    (func (;55;) (type 4) (param i32) (result i32)
      local.get 0
      call 5
      i32.const 0
      i32.ne
    )
    (func (;56;) (type 13) (param i32 i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 3
      i32.const 12
      i32.add
      call 6
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load offset=20
            local.set 4
            local.get 3
            i32.load offset=16
            local.set 0
          end
          local.get 1
          local.get 4
          i32.store offset=4
          local.get 1
          local.get 0
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        i32.const 0
        local.set 0
        local.get 2
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        local.get 2
        i32.const 0
        i32.store8 offset=19
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;57;) (type 13) (param i32 i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 3
      i32.const 12
      i32.add
      call 7
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load offset=20
            local.set 4
            local.get 3
            i32.load offset=16
            local.set 0
          end
          local.get 1
          local.get 4
          i32.store offset=4
          local.get 1
          local.get 0
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        i32.const 0
        local.set 0
        local.get 2
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        local.get 2
        i32.const 0
        i32.store8 offset=19
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;58;) (type 14) (param i32 i32 i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 5
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 1
      i32.load
      local.get 1
      i32.load offset=4
      local.get 2
      local.get 5
      i32.const 12
      i32.add
      call 8
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 5
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 5
            i32.load offset=16
            local.set 1
          end
          local.get 3
          local.get 1
          i32.store
          i32.const 1
          local.set 1
          br 1 (;@1;)
        end
        i32.const 0
        local.set 1
        local.get 4
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 4
        local.get 5
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 4
        local.get 5
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 4
        local.get 5
        i64.load offset=16 align=4
        i64.store align=4
        local.get 4
        i32.const 0
        i32.store8 offset=19
        local.get 4
        local.get 5
        i32.load offset=44
        i32.store offset=28
        local.get 4
        local.get 5
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 5
      i32.const 48
      i32.add
      global.set 0
      local.get 1
    )
    (func (;59;) (type 8) (param i32 i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 4
      global.set 0
      local.get 0
      local.get 1
      local.get 4
      i32.const 12
      i32.add
      call 9
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 4
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 4
            i32.load offset=20
            local.set 0
            local.get 4
            i32.load offset=16
            local.set 1
          end
          local.get 2
          local.get 0
          i32.store offset=4
          local.get 2
          local.get 1
          i32.store
          i32.const 1
          local.set 2
          br 1 (;@1;)
        end
        i32.const 0
        local.set 2
        local.get 3
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 3
        local.get 4
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 3
        local.get 4
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 3
        local.get 4
        i64.load offset=16 align=4
        i64.store align=4
        local.get 3
        i32.const 0
        i32.store8 offset=19
        local.get 3
        local.get 4
        i32.load offset=44
        i32.store offset=28
        local.get 3
        local.get 4
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 4
      i32.const 48
      i32.add
      global.set 0
      local.get 2
    )
    (func (;60;) (type 13) (param i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 3
      i32.const 12
      i32.add
      call 10
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load offset=16
            local.set 0
          end
          local.get 1
          local.get 0
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        i32.const 0
        local.set 0
        local.get 2
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        local.get 2
        i32.const 0
        i32.store8 offset=19
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;61;) (type 13) (param i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 3
      i32.const 12
      i32.add
      call 11
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load offset=16
            local.set 0
          end
          local.get 1
          local.get 0
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        i32.const 0
        local.set 0
        local.get 2
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        local.get 2
        i32.const 0
        i32.store8 offset=19
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;62;) (type 13) (param i32 i32 i32) (result i32)
      (local i32 i32 i32 i32 i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 0
      i32.load offset=8
      local.get 0
      i32.load offset=12
      local.get 0
      i32.load offset=16
      local.get 0
      i32.load offset=20
      local.get 0
      i32.load offset=24
      local.get 0
      i32.load offset=28
      local.get 0
      i32.load offset=32
      local.get 3
      i32.const 12
      i32.add
      call 12
      i32.const 0
      local.set 0
      i32.const 0
      local.set 4
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load8_u offset=36
            i32.const 0
            i32.ne
            local.set 0
            local.get 3
            i32.load offset=28
            local.set 5
            local.get 3
            i32.load offset=24
            local.set 6
            local.get 3
            i32.load offset=20
            local.set 7
            local.get 3
            i32.load offset=16
            local.set 8
            local.get 3
            i32.load offset=32
            local.set 4
          end
          local.get 1
          local.get 0
          i32.store offset=20
          local.get 1
          local.get 4
          i32.store offset=16
          local.get 1
          local.get 5
          i32.store offset=12
          local.get 1
          local.get 6
          i32.store offset=8
          local.get 1
          local.get 7
          i32.store offset=4
          local.get 1
          local.get 8
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        i32.const 0
        local.set 0
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;63;) (type 3) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 0
      global.set 0
      local.get 0
      call 34
      i32.const 0
      local.get 0
      i64.load align=4
      i64.store offset=1049316 align=4
      i32.const 0
      local.get 0
      i64.load offset=8 align=4
      i64.store offset=1049324 align=4
      i32.const 0
      local.get 0
      i64.load offset=16 align=4
      i64.store offset=1049332 align=4
      i32.const 0
      local.get 0
      i64.load offset=24 align=4
      i64.store offset=1049340 align=4
      i32.const 0
      local.get 0
      i64.load offset=32 align=4
      i64.store offset=1049348 align=4
      i32.const 0
      local.get 0
      i64.load offset=40 align=4
      i64.store offset=1049356 align=4
      local.get 0
      i32.const 48
      i32.add
      global.set 0
      i32.const 1049316
    )
    (func (;64;) (type 11) (param i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      local.get 1
      i32.store offset=12
      local.get 2
      local.get 0
      i32.store offset=8
      local.get 2
      i32.const 8
      i32.add
      local.get 2
      call 37
      i32.const 0
      local.get 2
      i64.load align=4
      i64.store offset=1049316 align=4
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      i32.const 1049316
    )
    (func (;65;) (type 4) (param i32) (result i32)
      (local i32 i32 i64 i32 i32 i32 i64 i64 i64)
      global.get 0
      i32.const 176
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      local.get 0
      i32.load
      i32.store offset=112
      local.get 1
      local.get 0
      i64.load offset=4 align=4
      i64.store offset=116 align=4
      local.get 1
      local.get 0
      i64.load offset=12 align=4
      i64.store offset=124 align=4
      local.get 1
      local.get 0
      i64.load offset=20 align=4
      i64.store offset=132 align=4
      local.get 1
      local.get 0
      i64.load offset=28 align=4
      i64.store offset=140 align=4
      local.get 1
      local.get 0
      i64.load offset=36 align=4
      i64.store offset=148 align=4
      local.get 1
      local.get 0
      i64.load offset=44 align=4
      i64.store offset=156 align=4
      local.get 1
      local.get 0
      i64.load offset=52 align=4
      i64.store offset=164 align=4
      local.get 1
      local.get 0
      i32.load offset=60
      i32.store offset=172
      local.get 1
      local.get 0
      i64.load offset=64 align=4
      i64.store offset=104 align=4
      local.get 1
      local.get 0
      i64.load offset=72 align=4
      i64.store offset=96 align=4
      local.get 1
      local.get 0
      i64.load offset=80 align=4
      i64.store offset=88 align=4
      block ;; label = @1
        block ;; label = @2
          local.get 1
          i32.const 112
          i32.add
          local.get 1
          i32.const 104
          i32.add
          local.get 1
          i32.const 96
          i32.add
          local.get 1
          i32.const 88
          i32.add
          local.get 1
          i32.const 40
          i32.add
          local.get 1
          i32.const 8
          i32.add
          call 38
          br_if 0 (;@2;)
          local.get 1
          i32.load offset=32
          local.set 2
          local.get 1
          i64.load offset=16 align=4
          local.set 3
          local.get 1
          i32.load offset=24
          local.set 4
          local.get 1
          i32.load offset=28
          local.set 5
          local.get 1
          i32.load offset=36
          local.set 6
          local.get 1
          i64.load offset=8 align=4
          local.set 7
          local.get 0
          call 32
          i32.const 0
          i32.const 1
          i32.store8 offset=1049316
          i32.const 0
          local.get 7
          i64.store offset=1049320 align=4
          i32.const 0
          local.get 6
          i32.store offset=1049348
          i32.const 0
          local.get 5
          i32.store offset=1049340
          i32.const 0
          local.get 4
          i32.store8 offset=1049336
          i32.const 0
          local.get 3
          i64.store offset=1049328 align=4
          br 1 (;@1;)
        end
        local.get 1
        i32.load offset=64
        local.set 2
        local.get 1
        i64.load offset=80 align=4
        local.set 3
        local.get 1
        i64.load offset=68 align=4
        local.set 7
        local.get 1
        i64.load offset=52 align=4
        local.set 8
        local.get 1
        i32.load offset=76
        local.set 4
        local.get 1
        i64.load offset=44 align=4
        local.set 9
        local.get 1
        i32.load offset=60
        local.set 5
        local.get 1
        i32.load8_u offset=40
        local.set 6
        local.get 0
        call 32
        i32.const 0
        local.get 6
        i32.const 1
        i32.and
        i32.store8 offset=1049320
        i32.const 0
        local.get 5
        i32.store offset=1049340
        i32.const 0
        local.get 9
        i64.store offset=1049324 align=4
        i32.const 0
        local.get 4
        i32.store offset=1049356
        i32.const 0
        local.get 8
        i64.store offset=1049332 align=4
        i32.const 0
        local.get 7
        i64.store offset=1049348 align=4
        i32.const 0
        local.get 3
        i64.store offset=1049360 align=4
        i32.const 0
        i32.const 0
        i32.store8 offset=1049316
      end
      i32.const 0
      local.get 2
      i32.store offset=1049344
      local.get 1
      i32.const 176
      i32.add
      global.set 0
      i32.const 1049316
    )
    (func (;66;) (type 4) (param i32) (result i32)
      (local i32 i32 i64 i32 i32 i32 i64 i64 i64)
      global.get 0
      i32.const 176
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      local.get 0
      i32.load
      i32.store offset=112
      local.get 1
      local.get 0
      i64.load offset=4 align=4
      i64.store offset=116 align=4
      local.get 1
      local.get 0
      i64.load offset=12 align=4
      i64.store offset=124 align=4
      local.get 1
      local.get 0
      i64.load offset=20 align=4
      i64.store offset=132 align=4
      local.get 1
      local.get 0
      i64.load offset=28 align=4
      i64.store offset=140 align=4
      local.get 1
      local.get 0
      i64.load offset=36 align=4
      i64.store offset=148 align=4
      local.get 1
      local.get 0
      i64.load offset=44 align=4
      i64.store offset=156 align=4
      local.get 1
      local.get 0
      i64.load offset=52 align=4
      i64.store offset=164 align=4
      local.get 1
      local.get 0
      i32.load offset=60
      i32.store offset=172
      local.get 1
      local.get 0
      i64.load offset=64 align=4
      i64.store offset=104 align=4
      local.get 1
      local.get 0
      i64.load offset=72 align=4
      i64.store offset=96 align=4
      local.get 1
      local.get 0
      i64.load offset=80 align=4
      i64.store offset=88 align=4
      block ;; label = @1
        block ;; label = @2
          local.get 1
          i32.const 112
          i32.add
          local.get 1
          i32.const 104
          i32.add
          local.get 1
          i32.const 96
          i32.add
          local.get 1
          i32.const 88
          i32.add
          local.get 1
          i32.const 40
          i32.add
          local.get 1
          i32.const 8
          i32.add
          call 42
          br_if 0 (;@2;)
          local.get 1
          i32.load offset=32
          local.set 2
          local.get 1
          i64.load offset=16 align=4
          local.set 3
          local.get 1
          i32.load offset=24
          local.set 4
          local.get 1
          i32.load offset=28
          local.set 5
          local.get 1
          i32.load offset=36
          local.set 6
          local.get 1
          i64.load offset=8 align=4
          local.set 7
          local.get 0
          call 32
          i32.const 0
          i32.const 1
          i32.store8 offset=1049316
          i32.const 0
          local.get 7
          i64.store offset=1049320 align=4
          i32.const 0
          local.get 6
          i32.store offset=1049348
          i32.const 0
          local.get 5
          i32.store offset=1049340
          i32.const 0
          local.get 4
          i32.store8 offset=1049336
          i32.const 0
          local.get 3
          i64.store offset=1049328 align=4
          br 1 (;@1;)
        end
        local.get 1
        i32.load offset=64
        local.set 2
        local.get 1
        i64.load offset=80 align=4
        local.set 3
        local.get 1
        i64.load offset=68 align=4
        local.set 7
        local.get 1
        i64.load offset=52 align=4
        local.set 8
        local.get 1
        i32.load offset=76
        local.set 4
        local.get 1
        i64.load offset=44 align=4
        local.set 9
        local.get 1
        i32.load offset=60
        local.set 5
        local.get 1
        i32.load8_u offset=40
        local.set 6
        local.get 0
        call 32
        i32.const 0
        local.get 6
        i32.const 1
        i32.and
        i32.store8 offset=1049320
        i32.const 0
        local.get 5
        i32.store offset=1049340
        i32.const 0
        local.get 9
        i64.store offset=1049324 align=4
        i32.const 0
        local.get 4
        i32.store offset=1049356
        i32.const 0
        local.get 8
        i64.store offset=1049332 align=4
        i32.const 0
        local.get 7
        i64.store offset=1049348 align=4
        i32.const 0
        local.get 3
        i64.store offset=1049360 align=4
        i32.const 0
        i32.const 0
        i32.store8 offset=1049316
      end
      i32.const 0
      local.get 2
      i32.store offset=1049344
      local.get 1
      i32.const 176
      i32.add
      global.set 0
      i32.const 1049316
    )
    (func (;67;) (type 7)
      call 15
    )
    (func (;68;) (type 4) (param i32) (result i32)
      (local i32 i32 i32)
      i32.const 0
      local.set 1
      loop ;; label = @1
        local.get 0
        local.get 1
        i32.add
        local.set 2
        local.get 1
        i32.const 1
        i32.add
        local.tee 3
        local.set 1
        local.get 2
        i32.load8_u
        br_if 0 (;@1;)
      end
      local.get 3
      i32.const -1
      i32.add
    )
    (data (;0;) (i32.const 1048576) "{}\00{\22http\22: [{\22config\22: \22/url\22}], \22secrets\22: [{\22named\22: \22golden\22}], \22state\22: true}\00{\22type\22: \22object\22, \22required\22: [\22url\22]}\00idempotency-key\00digest\00kept\00file:built\00half of it\00artifact\00fails, as it says\00is refused, as it says\00artifacts\00calls\00begun\00authorization\00text/plain\00written\00golden\00url\00the first call\00used everything\00of\00true\00/refuse\00false\00golden-phase\00done\00sequence\00describe\00progressed\00c\00web\00POST\00\22:\001\000.1.0\00Uses all that a phase has.\00\22fail\22\00\22refuse\22\00\22hold\22\00, \22write\22: \22\00Bearer \00stopped where it had \00{\22status\22: \00, \22version\22: \00, \22time\22: \00\22, \22cancelled\22: \00")
    (@producers
      (processed-by "wit-component" "0.258.3")
      (processed-by "wit-bindgen-c" "0.61.1")
    )
  )
  (core module $wit-component-shim-module (;1;)
    (type (;0;) (func (param i32 i32 i32)))
    (type (;1;) (func (param i32 i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;3;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (table (;0;) 9 9 funcref)
    (export "0" (func 0))
    (export "1" (func 1))
    (export "2" (func 2))
    (export "3" (func 3))
    (export "4" (func 4))
    (export "5" (func 5))
    (export "6" (func 6))
    (export "7" (func 7))
    (export "8" (func 8))
    (export "$imports" (table 0))
    (func (;0;) (type 0) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 0
      call_indirect (type 0)
    )
    (func (;1;) (type 0) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 1
      call_indirect (type 0)
    )
    (func (;2;) (type 1) (param i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      i32.const 2
      call_indirect (type 1)
    )
    (func (;3;) (type 0) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 3
      call_indirect (type 0)
    )
    (func (;4;) (type 0) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 4
      call_indirect (type 0)
    )
    (func (;5;) (type 0) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 5
      call_indirect (type 0)
    )
    (func (;6;) (type 2) (param i32 i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      i32.const 6
      call_indirect (type 2)
    )
    (func (;7;) (type 0) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 7
      call_indirect (type 0)
    )
    (func (;8;) (type 3) (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      local.get 6
      local.get 7
      local.get 8
      local.get 9
      i32.const 8
      call_indirect (type 3)
    )
    (@producers
      (processed-by "wit-component" "0.258.3")
    )
  )
  (core instance $wit-component-shim-instance (;0;) (instantiate $wit-component-shim-module))
  (alias export $lockgate:plugin/types@0.1.0 "call" (type $call (;17;)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type18 failure" (@name "failure") (;18;)))
  (alias export $lockgate:plugin/types@0.1.0 "json" (type $json (;19;)))
  (alias export $lockgate:plugin/types@0.1.0 "artifact" (type $artifact (;20;)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $"#type21 field" (@name "field") (;21;)))
  (alias export $lockgate:plugin/types@0.1.0 "description" (type $description (;22;)))
  (alias export $lockgate:plugin/types@0.1.0 "issue" (type $issue (;23;)))
  (type (;24;) (list u8))
  (type (;25;) (list $artifact))
  (type (;26;) (list $"#type21 field"))
  (type (;27;) (record (field "done" bool) (field "cursor" 24) (field "poll-after-ms" u32) (field "summary" string) (field "outputs" $json) (field "artifacts" 25) (field "extra" 26)))
  (alias export $lockgate:plugin/artifacts@0.1.0 "reader" (type $reader (;28;)))
  (core func $resource.drop (;0;) (canon resource.drop $reader))
  (alias core export $wit-component-shim-instance "0" (core func $"indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read" (;1;)))
  (alias core export $wit-component-shim-instance "1" (core func $indirect-lockgate:plugin/artifacts@0.1.0-open (;2;)))
  (core instance $lockgate:plugin/artifacts@0.1.0 (;1;)
    (export "[resource-drop]reader" (func $resource.drop))
    (export "[method]reader.read" (func $"indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read"))
    (export "open" (func $indirect-lockgate:plugin/artifacts@0.1.0-open))
  )
  (alias core export $wit-component-shim-instance "2" (core func $indirect-lockgate:plugin/log@0.1.0-emit (;3;)))
  (core instance $lockgate:plugin/log@0.1.0 (;2;)
    (export "emit" (func $indirect-lockgate:plugin/log@0.1.0-emit))
  )
  (alias core export $wit-component-shim-instance "3" (core func $indirect-lockgate:plugin/progress@0.1.0-report (;4;)))
  (core instance $lockgate:plugin/progress@0.1.0 (;3;)
    (export "report" (func $indirect-lockgate:plugin/progress@0.1.0-report))
  )
  (alias export $lockgate:plugin/control@0.1.0 "is-cancelled" (func $is-cancelled (;0;)))
  (core func $is-cancelled (;5;) (canon lower (func $is-cancelled)))
  (alias export $lockgate:plugin/control@0.1.0 "remaining-ms" (func $remaining-ms (;1;)))
  (core func $remaining-ms (;6;) (canon lower (func $remaining-ms)))
  (alias export $lockgate:plugin/control@0.1.0 "wait" (func $wait (;2;)))
  (core func $wait (;7;) (canon lower (func $wait)))
  (core instance $lockgate:plugin/control@0.1.0 (;4;)
    (export "is-cancelled" (func $is-cancelled))
    (export "remaining-ms" (func $remaining-ms))
    (export "wait" (func $wait))
  )
  (alias core export $wit-component-shim-instance "4" (core func $indirect-lockgate:plugin/secrets@0.1.0-token (;8;)))
  (core instance $lockgate:plugin/secrets@0.1.0 (;5;)
    (export "token" (func $indirect-lockgate:plugin/secrets@0.1.0-token))
  )
  (alias core export $wit-component-shim-instance "5" (core func $indirect-lockgate:plugin/state@0.1.0-get (;9;)))
  (alias core export $wit-component-shim-instance "6" (core func $indirect-lockgate:plugin/state@0.1.0-put (;10;)))
  (core instance $lockgate:plugin/state@0.1.0 (;6;)
    (export "get" (func $indirect-lockgate:plugin/state@0.1.0-get))
    (export "put" (func $indirect-lockgate:plugin/state@0.1.0-put))
  )
  (alias core export $wit-component-shim-instance "7" (core func $indirect-lockgate:plugin/artifacts-write@0.1.0-create (;11;)))
  (core instance $lockgate:plugin/artifacts-write@0.1.0 (;7;)
    (export "create" (func $indirect-lockgate:plugin/artifacts-write@0.1.0-create))
  )
  (alias core export $wit-component-shim-instance "8" (core func $indirect-lockgate:plugin/http@0.1.0-send (;12;)))
  (core instance $lockgate:plugin/http@0.1.0 (;8;)
    (export "send" (func $indirect-lockgate:plugin/http@0.1.0-send))
  )
  (core instance $main (;9;) (instantiate $main
      (with "lockgate:plugin/artifacts@0.1.0" (instance $lockgate:plugin/artifacts@0.1.0))
      (with "lockgate:plugin/log@0.1.0" (instance $lockgate:plugin/log@0.1.0))
      (with "lockgate:plugin/progress@0.1.0" (instance $lockgate:plugin/progress@0.1.0))
      (with "lockgate:plugin/control@0.1.0" (instance $lockgate:plugin/control@0.1.0))
      (with "lockgate:plugin/secrets@0.1.0" (instance $lockgate:plugin/secrets@0.1.0))
      (with "lockgate:plugin/state@0.1.0" (instance $lockgate:plugin/state@0.1.0))
      (with "lockgate:plugin/artifacts-write@0.1.0" (instance $lockgate:plugin/artifacts-write@0.1.0))
      (with "lockgate:plugin/http@0.1.0" (instance $lockgate:plugin/http@0.1.0))
    )
  )
  (alias core export $main "memory" (core memory $memory (;0;)))
  (core module $wit-component-fixup (;2;)
    (type (;0;) (func (param i32 i32 i32)))
    (type (;1;) (func (param i32 i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;3;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (type (;4;) (func))
    (import "actual" "0" (func (;0;) (type 0)))
    (import "actual" "1" (func (;1;) (type 0)))
    (import "actual" "2" (func (;2;) (type 1)))
    (import "actual" "3" (func (;3;) (type 0)))
    (import "actual" "4" (func (;4;) (type 0)))
    (import "actual" "5" (func (;5;) (type 0)))
    (import "actual" "6" (func (;6;) (type 2)))
    (import "actual" "7" (func (;7;) (type 0)))
    (import "actual" "8" (func (;8;) (type 3)))
    (import "main" "_initialize" (func (;9;) (type 4)))
    (import "shim" "$imports" (table (;0;) 9 9 funcref))
    (start 9)
    (elem (;0;) (i32.const 0) func 0 1 2 3 4 5 6 7 8)
    (@producers
      (processed-by "wit-component" "0.258.3")
    )
  )
  (alias export $lockgate:plugin/artifacts@0.1.0 "[method]reader.read" (func $"[method]reader.read" (;3;)))
  (alias core export $main "cabi_realloc" (core func $cabi_realloc (;13;)))
  (core func $"#core-func14 indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read" (@name "indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read") (;14;) (canon lower (func $"[method]reader.read") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/artifacts@0.1.0 "open" (func $open (;4;)))
  (core func $"#core-func15 indirect-lockgate:plugin/artifacts@0.1.0-open" (@name "indirect-lockgate:plugin/artifacts@0.1.0-open") (;15;) (canon lower (func $open) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/log@0.1.0 "emit" (func $emit (;5;)))
  (core func $"#core-func16 indirect-lockgate:plugin/log@0.1.0-emit" (@name "indirect-lockgate:plugin/log@0.1.0-emit") (;16;) (canon lower (func $emit) (memory $memory) string-encoding=utf8))
  (alias export $lockgate:plugin/progress@0.1.0 "report" (func $report (;6;)))
  (core func $"#core-func17 indirect-lockgate:plugin/progress@0.1.0-report" (@name "indirect-lockgate:plugin/progress@0.1.0-report") (;17;) (canon lower (func $report) (memory $memory) string-encoding=utf8))
  (alias export $lockgate:plugin/secrets@0.1.0 "token" (func $token (;7;)))
  (core func $"#core-func18 indirect-lockgate:plugin/secrets@0.1.0-token" (@name "indirect-lockgate:plugin/secrets@0.1.0-token") (;18;) (canon lower (func $token) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/state@0.1.0 "get" (func $get (;8;)))
  (core func $"#core-func19 indirect-lockgate:plugin/state@0.1.0-get" (@name "indirect-lockgate:plugin/state@0.1.0-get") (;19;) (canon lower (func $get) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/state@0.1.0 "put" (func $put (;9;)))
  (core func $"#core-func20 indirect-lockgate:plugin/state@0.1.0-put" (@name "indirect-lockgate:plugin/state@0.1.0-put") (;20;) (canon lower (func $put) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/artifacts-write@0.1.0 "create" (func $create (;10;)))
  (core func $"#core-func21 indirect-lockgate:plugin/artifacts-write@0.1.0-create" (@name "indirect-lockgate:plugin/artifacts-write@0.1.0-create") (;21;) (canon lower (func $create) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/http@0.1.0 "send" (func $send (;11;)))
  (core func $"#core-func22 indirect-lockgate:plugin/http@0.1.0-send" (@name "indirect-lockgate:plugin/http@0.1.0-send") (;22;) (canon lower (func $send) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (core instance $actual (;10;)
    (export "0" (func $"#core-func14 indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read"))
    (export "1" (func $"#core-func15 indirect-lockgate:plugin/artifacts@0.1.0-open"))
    (export "2" (func $"#core-func16 indirect-lockgate:plugin/log@0.1.0-emit"))
    (export "3" (func $"#core-func17 indirect-lockgate:plugin/progress@0.1.0-report"))
    (export "4" (func $"#core-func18 indirect-lockgate:plugin/secrets@0.1.0-token"))
    (export "5" (func $"#core-func19 indirect-lockgate:plugin/state@0.1.0-get"))
    (export "6" (func $"#core-func20 indirect-lockgate:plugin/state@0.1.0-put"))
    (export "7" (func $"#core-func21 indirect-lockgate:plugin/artifacts-write@0.1.0-create"))
    (export "8" (func $"#core-func22 indirect-lockgate:plugin/http@0.1.0-send"))
  )
  (core instance $fixup (;11;) (instantiate $wit-component-fixup
      (with "actual" (instance $actual))
      (with "main" (instance $main))
      (with "shim" (instance $wit-component-shim-instance))
    )
  )
  (type (;29;) (func (result $description)))
  (alias core export $main "lockgate:phase/phase@0.1.0#describe" (core func $lockgate:phase/phase@0.1.0#describe (;23;)))
  (alias core export $main "cabi_post_lockgate:phase/phase@0.1.0#describe" (core func $cabi_post_lockgate:phase/phase@0.1.0#describe (;24;)))
  (func $describe (;12;) (type 29) (canon lift (core func $lockgate:phase/phase@0.1.0#describe) (memory $memory) string-encoding=utf8 (post-return $cabi_post_lockgate:phase/phase@0.1.0#describe)))
  (type (;30;) (list $issue))
  (type (;31;) (func (param "config" $json) (result 30)))
  (alias core export $main "lockgate:phase/phase@0.1.0#validate" (core func $lockgate:phase/phase@0.1.0#validate (;25;)))
  (alias core export $main "cabi_post_lockgate:phase/phase@0.1.0#validate" (core func $cabi_post_lockgate:phase/phase@0.1.0#validate (;26;)))
  (func $validate (;13;) (type 31) (canon lift (core func $lockgate:phase/phase@0.1.0#validate) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:phase/phase@0.1.0#validate)))
  (type (;32;) (result 27 (error $"#type18 failure")))
  (type (;33;) (func (param "c" $call) (param "config" $json) (param "subject" $json) (param "cursor" 24) (result 32)))
  (alias core export $main "lockgate:phase/phase@0.1.0#advance" (core func $lockgate:phase/phase@0.1.0#advance (;27;)))
  (alias core export $main "cabi_post_lockgate:phase/phase@0.1.0#advance" (core func $cabi_post_lockgate:phase/phase@0.1.0#advance (;28;)))
  (func $advance (;14;) (type 33) (canon lift (core func $lockgate:phase/phase@0.1.0#advance) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:phase/phase@0.1.0#advance)))
  (alias core export $main "lockgate:phase/phase@0.1.0#cancel" (core func $lockgate:phase/phase@0.1.0#cancel (;29;)))
  (alias core export $main "cabi_post_lockgate:phase/phase@0.1.0#cancel" (core func $cabi_post_lockgate:phase/phase@0.1.0#cancel (;30;)))
  (func $cancel (;15;) (type 33) (canon lift (core func $lockgate:phase/phase@0.1.0#cancel) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:phase/phase@0.1.0#cancel)))
  (alias export $lockgate:plugin/types@0.1.0 "retry" (type $retry (;34;)))
  (component $lockgate:phase/phase@0.1.0-shim-component (;0;)
    (type (;0;) (record (field "key" string) (field "value" string)))
    (import "import-type-field" (type (;1;) (eq 0)))
    (type (;2;) (list 1))
    (type (;3;) (record (field "project" string) (field "environment" string) (field "deployment" string) (field "attempt" u32) (field "name" string) (field "sequence" u32) (field "idempotency-key" string) (field "trace-parent" string) (field "extra" 2)))
    (import "import-type-call" (type (;4;) (eq 3)))
    (type (;5;) (enum "never" "same-key"))
    (import "import-type-retry" (type (;6;) (eq 5)))
    (type (;7;) string)
    (import "import-type-json" (type (;8;) (eq 7)))
    (type (;9;) (record (field "code" string) (field "message" string) (field "retry" 6) (field "retry-after-ms" u32) (field "details" 8)))
    (import "import-type-failure" (type (;10;) (eq 9)))
    (type (;11;) (record (field "name" string) (field "uri" string) (field "digest" string) (field "media-type" string) (field "build-id" string) (field "stack" string) (field "application" string) (field "metadata" 2)))
    (import "import-type-artifact" (type (;12;) (eq 11)))
    (type (;13;) (record (field "name" string) (field "version" string) (field "summary" string) (field "config-schema" 8) (field "requests" 8) (field "extra" 2)))
    (import "import-type-description" (type (;14;) (eq 13)))
    (type (;15;) (record (field "path" string) (field "message" string)))
    (import "import-type-issue" (type (;16;) (eq 15)))
    (import "import-type-description0" (type (;17;) (eq 14)))
    (type (;18;) (func (result 17)))
    (import "import-func-describe" (func (;0;) (type 18)))
    (import "import-type-json0" (type (;19;) (eq 8)))
    (import "import-type-issue0" (type (;20;) (eq 16)))
    (type (;21;) (list 20))
    (type (;22;) (func (param "config" 19) (result 21)))
    (import "import-func-validate" (func (;1;) (type 22)))
    (import "import-type-call0" (type (;23;) (eq 4)))
    (type (;24;) (list u8))
    (import "import-type-artifact0" (type (;25;) (eq 12)))
    (type (;26;) (list 25))
    (import "import-type-field0" (type (;27;) (eq 1)))
    (type (;28;) (list 27))
    (type (;29;) (record (field "done" bool) (field "cursor" 24) (field "poll-after-ms" u32) (field "summary" string) (field "outputs" 19) (field "artifacts" 26) (field "extra" 28)))
    (import "import-type-progressed" (type (;30;) (eq 29)))
    (import "import-type-failure0" (type (;31;) (eq 10)))
    (type (;32;) (result 30 (error 31)))
    (type (;33;) (func (param "c" 23) (param "config" 19) (param "subject" 19) (param "cursor" 24) (result 32)))
    (import "import-func-advance" (func (;2;) (type 33)))
    (import "import-func-cancel" (func (;3;) (type 33)))
    (export (;34;) "call" (type 4))
    (export (;35;) "failure" (type 10))
    (export (;36;) "json" (type 8))
    (export (;37;) "artifact" (type 12))
    (export (;38;) "field" (type 1))
    (export (;39;) "description" (type 14))
    (export (;40;) "issue" (type 16))
    (type (;41;) (list u8))
    (type (;42;) (list 37))
    (type (;43;) (list 38))
    (type (;44;) (record (field "done" bool) (field "cursor" 41) (field "poll-after-ms" u32) (field "summary" string) (field "outputs" 36) (field "artifacts" 42) (field "extra" 43)))
    (export (;45;) "progressed" (type 44))
    (type (;46;) (func (result 39)))
    (export (;4;) "describe" (func 0) (func (type 46)))
    (type (;47;) (list 40))
    (type (;48;) (func (param "config" 36) (result 47)))
    (export (;5;) "validate" (func 1) (func (type 48)))
    (type (;49;) (result 45 (error 35)))
    (type (;50;) (func (param "c" 34) (param "config" 36) (param "subject" 36) (param "cursor" 41) (result 49)))
    (export (;6;) "advance" (func 2) (func (type 50)))
    (export (;7;) "cancel" (func 3) (func (type 50)))
  )
  (instance $lockgate:phase/phase@0.1.0-shim-instance (;9;) (instantiate $lockgate:phase/phase@0.1.0-shim-component
      (with "import-func-describe" (func $describe))
      (with "import-func-validate" (func $validate))
      (with "import-func-advance" (func $advance))
      (with "import-func-cancel" (func $cancel))
      (with "import-type-field" (type $"#type21 field"))
      (with "import-type-call" (type $call))
      (with "import-type-retry" (type $retry))
      (with "import-type-json" (type $json))
      (with "import-type-failure" (type $"#type18 failure"))
      (with "import-type-artifact" (type $artifact))
      (with "import-type-description" (type $description))
      (with "import-type-issue" (type $issue))
      (with "import-type-description0" (type $description))
      (with "import-type-json0" (type $json))
      (with "import-type-issue0" (type $issue))
      (with "import-type-call0" (type $call))
      (with "import-type-artifact0" (type $artifact))
      (with "import-type-field0" (type $"#type21 field"))
      (with "import-type-progressed" (type 27))
      (with "import-type-failure0" (type $"#type18 failure"))
    )
  )
  (export $lockgate:phase/phase@0.1.0 (;10;) "lockgate:phase/phase@0.1.0" (instance $lockgate:phase/phase@0.1.0-shim-instance))
  (@producers
    (processed-by "wit-component" "0.258.3")
  )
)

